using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MuseAtelier.Format;

/// <summary>
/// SHA-256 over data that comes in parts. It uses the system's implementation if there is one, and <see cref="ManagedSha256"/> otherwise,
/// because on Linux .NET's own needs OpenSSL and ends the process if none is installed, as in a minimal container. It must not be used
/// concurrently; the creator disposes it.
/// </summary>
internal sealed class Sha256 : IDisposable
{
    private readonly IncrementalHash? _system;
    private readonly ManagedSha256? _managed;

    /// <summary>Begins a digest.</summary>
    public Sha256()
        : this(HasSystemImplementation)
    {
    }

    /// <summary>Begins a digest with one of the two implementations.</summary>
    internal Sha256(bool bySystem)
    {
        if (bySystem) _system = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        else _managed = new ManagedSha256();
    }

    /// <summary>
    /// Whether the system has an implementation. Linux has one only with OpenSSL 3 or 1.1; other systems always have one.
    /// </summary>
    public static bool HasSystemImplementation { get; } = !OperatingSystem.IsLinux() || HasOpenSsl();

    /// <summary>The digest of bytes, 64 lower-case hexadecimal digits.</summary>
    public static string Hash(ReadOnlySpan<byte> data)
    {
        using var hash = new Sha256();
        hash.Append(data);
        return hash.Finish();
    }

    /// <summary>The digest of the rest of a stream, 64 lower-case hexadecimal digits.</summary>
    /// <param name="stream">Read to its end.</param>
    /// <param name="cancellationToken">Stops the reading within 1 MiB.</param>
    public static string Hash(Stream stream, CancellationToken cancellationToken = default)
    {
        using var hash = new Sha256();
        byte[] buffer = new byte[1 << 20];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.Append(buffer.AsSpan(0, read));
        }

        return hash.Finish();
    }

    /// <summary>Adds bytes.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        _system?.AppendData(data);
        _managed?.Append(data);
    }

    /// <summary>The digest of all bytes that were added, 64 lower-case hexadecimal digits. The next byte begins a new one.</summary>
    public string Finish()
    {
        Span<byte> digest = stackalloc byte[ManagedSha256.DigestBytes];
        _system?.GetHashAndReset(digest);
        _managed?.Finish(digest);
        return Convert.ToHexStringLower(digest);
    }

    /// <inheritdoc/>
    public void Dispose() => _system?.Dispose();

    // The names that .NET's own code tries. The library is not closed again, because .NET opens it next.
    private static bool HasOpenSsl() => NativeLibrary.TryLoad("libssl.so.3", out _) || NativeLibrary.TryLoad("libssl.so.1.1", out _);
}

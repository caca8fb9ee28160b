using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>The digests of a LoRA's file.</summary>
/// <param name="File">SHA-256 of the whole file, lower-case hex.</param>
/// <param name="Content">
/// SHA-256 of what follows the header of a safetensors file, which editing the metadata does not change (AUTOMATIC1111, modules/hashes.py,
/// addnet_hash_safetensors); null for other files and if it was not asked for.
/// </param>
internal sealed record LoraDigest(string File, string? Content)
{
    /// <summary>The digits of AUTOMATIC1111's short digests (extensions-builtin/Lora/network.py, set_hash).</summary>
    public const int ShortDigits = 12;

    private const int BufferBytes = 4 << 20;
    private const int PrefixBytes = 8;

    /// <summary>The short digest by which AUTOMATIC1111 names the file: that of the trainer, else the content's, else the file's.</summary>
    /// <param name="stated">The digest that the trainer stored; null if there is none.</param>
    public string ShortOf(string? stated) => (Usable(stated) ?? Content ?? File)[..ShortDigits];

    /// <summary>A digest that a file states in lower case; null if it is none.</summary>
    public static string? Usable(string? stated) =>
        stated is { Length: >= ShortDigits and <= 64 } && stated.All(char.IsAsciiHexDigit) ? stated.ToLowerInvariant() : null;

    /// <summary>Reads a file once.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="hasContent">Whether the digest of the content is computed too.</param>
    /// <param name="cancellationToken">Cancels within a few MiB.</param>
    /// <exception cref="CheckpointUnreadableException">The system refuses to read the file.</exception>
    public static LoraDigest Of(string path, bool hasContent, CancellationToken cancellationToken = default)
    {
        try
        {
            using SafeFileHandle file = System.IO.File.OpenHandle(path, options: FileOptions.SequentialScan);
            return Of(path, file, hasContent, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointUnreadableException(path, exception);
        }
    }

    /// <summary>
    /// Reads an opened file once, and not a mapping of it, so that its pages do not count as memory of this process.
    /// </summary>
    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="file">The file; borrowed.</param>
    /// <param name="hasContent">Whether the digest of the content is computed too.</param>
    /// <param name="cancellationToken">Cancels within a few MiB.</param>
    /// <exception cref="CheckpointUnreadableException">The system refuses to read the file.</exception>
    public static LoraDigest Of(string path, SafeFileHandle file, bool hasContent, CancellationToken cancellationToken = default)
    {
        using var all = new Sha256();
        using var content = new Sha256();
        long begin = long.MaxValue;
        long at = 0;
        try
        {
            byte[] buffer = new byte[BufferBytes];
            for (int read; (read = Fill(file, at, buffer)) > 0; at += read)
            {
                cancellationToken.ThrowIfCancellationRequested();
                ReadOnlySpan<byte> part = buffer.AsSpan(0, read);
                all.Append(part);
                if (at == 0 && hasContent) begin = ContentOf(part, RandomAccess.GetLength(file));
                if (at + read > begin) content.Append(part[(int)Math.Max(0, begin - at)..]);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointUnreadableException(path, exception);
        }

        return new LoraDigest(all.Finish(), at > begin ? content.Finish() : null);
    }

    // Reads until the buffer is full or the file ends, so that the first part has the whole prefix.
    private static int Fill(SafeFileHandle file, long offset, Span<byte> buffer)
    {
        int filled = 0;
        for (int read; filled < buffer.Length && (read = RandomAccess.Read(file, buffer[filled..], offset + filled)) > 0;) filled += read;
        return filled;
    }

    // Where the content begins; beyond every file for other formats.
    private static long ContentOf(ReadOnlySpan<byte> head, long bytes)
    {
        if (head.Length <= PrefixBytes || head[PrefixBytes] != (byte)'{') return long.MaxValue;
        ulong header = BinaryPrimitives.ReadUInt64LittleEndian(head);
        return header < (ulong)bytes ? PrefixBytes + (long)header : long.MaxValue;
    }
}

using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace MuseAtelier.Cpu;

/// <summary>
/// What the process holds for itself alone: pages that came from no file, in memory or swapped out. Pages of mapped files do not count, which the
/// system can drop and read again.
/// </summary>
internal static class AnonymousMemory
{
    private static readonly SafeFileHandle? Status = Open();

    /// <summary>Bytes; null where the system does not tell. From any thread; allocates nothing managed.</summary>
    public static long? Bytes()
    {
        if (Status is null) return null;
        Span<byte> text = stackalloc byte[8192];
        int length = RandomAccess.Read(Status, text, 0);
        return Kibibytes(text[..length], "RssAnon:"u8) is { } resident ? (resident + (Kibibytes(text[..length], "VmSwap:"u8) ?? 0)) << 10 : null;
    }

    /// <summary>A line's number, as in "RssAnon:	   12345 kB"; null where there is no such line.</summary>
    internal static long? Kibibytes(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        int at = text.IndexOf(name);
        if (at < 0) return null;
        return Utf8Parser.TryParse(text[(at + name.Length)..].TrimStart("\t "u8), out long number, out _) ? number : null;
    }

    private static SafeFileHandle? Open()
    {
        try
        {
            return OperatingSystem.IsLinux() ? File.OpenHandle("/proc/self/status") : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

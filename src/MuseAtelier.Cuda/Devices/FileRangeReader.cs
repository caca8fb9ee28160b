using Microsoft.Win32.SafeHandles;

namespace MuseAtelier.Cuda.Devices;

/// <summary>Reads ranges of files into native memory.</summary>
internal static unsafe class FileRangeReader
{
    /// <summary>Reads a whole range.</summary>
    /// <exception cref="EndOfStreamException">The file ends before the range does.</exception>
    public static void Read(SafeFileHandle file, FileRange range, nint to)
    {
        for (long done = 0; done < range.Bytes;)
        {
            var span = new Span<byte>((byte*)to + done, (int)Math.Min(range.Bytes - done, 1 << 30));
            int read = RandomAccess.Read(file, span, range.Offset + done);
            if (read == 0) throw new EndOfStreamException($"{range.Path} ends before {range.Offset + range.Bytes} bytes.");
            done += read;
        }
    }

    /// <summary>Opens the range's file and reads the whole range.</summary>
    public static void Read(FileRange range, nint to)
    {
        using SafeFileHandle file = File.OpenHandle(range.Path);
        Read(file, range, to);
    }
}

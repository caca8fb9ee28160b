using Microsoft.Win32.SafeHandles;

namespace MuseAtelier.Cuda.Devices;

/// <summary>Reads stretches of files into native memory.</summary>
internal static unsafe class FileRangeReader
{
    /// <summary>Reads all of a stretch.</summary>
    /// <exception cref="EndOfStreamException">The file ends before it.</exception>
    public static void Read(SafeFileHandle file, FileRange stretch, nint to)
    {
        for (long done = 0; done < stretch.Bytes;)
        {
            var span = new Span<byte>((byte*)to + done, (int)Math.Min(stretch.Bytes - done, 1 << 30));
            int read = RandomAccess.Read(file, span, stretch.Offset + done);
            if (read == 0) throw new EndOfStreamException($"{stretch.Path} ends before {stretch.Offset + stretch.Bytes} bytes.");
            done += read;
        }
    }

    /// <summary>Opens the stretch's file and reads all of it.</summary>
    public static void Read(FileRange stretch, nint to)
    {
        using SafeFileHandle file = File.OpenHandle(stretch.Path);
        Read(file, stretch, to);
    }
}

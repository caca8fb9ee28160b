using Microsoft.Win32.SafeHandles;
using MuseAtelier.Format;

namespace MuseAtelier.Cuda.Devices;

/// <summary>Reads ranges of a package's files into native memory. May be used on any thread.</summary>
/// <param name="pathOf">Gives the path of a file by its name within the package.</param>
internal sealed unsafe class WeightFiles(Func<string, string> pathOf)
{
    /// <summary>Opens a file for reading; the caller disposes the handle.</summary>
    /// <param name="file">Name of the file within the package.</param>
    /// <param name="options">Hints for the system.</param>
    public SafeFileHandle Open(string file, FileOptions options = FileOptions.None) =>
        File.OpenHandle(pathOf(file), options: options);

    /// <summary>Opens the range's file and reads the whole range.</summary>
    /// <param name="range">The range.</param>
    /// <param name="to">Address of the memory, which has room for the range.</param>
    /// <exception cref="EndOfStreamException">The file ends before the range does.</exception>
    public void Read(WeightRange range, nint to)
    {
        using SafeFileHandle file = Open(range.File);
        Read(file, range, to);
    }

    /// <summary>Reads a whole range of an open file.</summary>
    /// <param name="file">The range's file.</param>
    /// <param name="range">The range.</param>
    /// <param name="to">Address of the memory, which has room for the range.</param>
    /// <exception cref="EndOfStreamException">The file ends before the range does.</exception>
    public static void Read(SafeFileHandle file, WeightRange range, nint to)
    {
        for (long done = 0; done < range.Length;)
        {
            var span = new Span<byte>((byte*)to + done, (int)Math.Min(range.Length - done, 1 << 30));
            int read = RandomAccess.Read(file, span, range.Offset + done);
            if (read == 0) throw new EndOfStreamException(FormattableString.Invariant($"{range.File} ends before {range.End} bytes."));
            done += read;
        }
    }
}

using System.Globalization;
using CommunityToolkit.HighPerformance;
using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures.Files;

namespace MuseAtelier.Pictures.Containers;

/// <summary>The bytes of a picture that is read: an open file, or memory. They begin like a picture of a known format.</summary>
internal sealed class PictureInput : IDisposable
{
    /// <summary>The most bytes that are taken into memory.</summary>
    public const int MostBytes = 256 << 20;

    /// <summary>Names a picture from memory in messages.</summary>
    public const string MemoryName = "the data";

    private ReadOnlyMemory<byte>? _bytes;
    private IDisposable? _owner;

    private PictureInput(string name, Stream stream, PictureFormat format) => (Name, Stream, Format) = (name, stream, format);

    private PictureInput(string name, ReadOnlyMemory<byte> bytes, PictureFormat format, IDisposable? owner)
        : this(name, bytes.AsStream(), format) => (_bytes, _owner) = (bytes, owner);

    /// <summary>The path of the file, or words, for messages.</summary>
    public string Name { get; }

    /// <summary>The bytes from the picture's first to its last one. The stream can seek.</summary>
    public Stream Stream { get; }

    /// <summary>The format that the first bytes tell.</summary>
    public PictureFormat Format { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="PictureNotFoundException">There is none.</exception>
    /// <exception cref="NotAPictureException">It does not begin like a picture.</exception>
    public static PictureInput OfFile(string path)
    {
        if (!File.Exists(path)) throw new PictureNotFoundException(path);
        return TryOpen(path) ?? throw new NotAPictureException(path);
    }

    /// <summary>Opens a file that exists; null if it does not begin like a picture.</summary>
    public static PictureInput? TryOpen(string path)
    {
        // A pipe or a device may block the reader forever.
        if (UnixFile.Describe(Path.GetFullPath(path))?.Kind is not null) return null;
        FileStream file = File.OpenRead(path);
        PictureInput? input = null;
        try
        {
            Span<byte> start = stackalloc byte[PictureFormats.BytesToDetect];
            int read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            file.Position = 0;
            if (PictureFormats.Detect(start[..read]) is { } format) input = new PictureInput(path, file, format);
            return input;
        }
        finally
        {
            if (input is null) file.Dispose();
        }
    }

    /// <summary>Reads a whole file into pooled memory and closes it.</summary>
    /// <exception cref="PictureFileException">The file is missing, too large or not a picture.</exception>
    public static PictureInput Load(string path)
    {
        using PictureInput file = OfFile(path);
        (ReadOnlyMemory<byte> bytes, IDisposable owner) = ReadAll(path, file.Stream);
        return new PictureInput(path, bytes, file.Format, owner);
    }

    /// <summary>Takes memory.</summary>
    /// <param name="bytes">The bytes; borrowed unless an owner is given.</param>
    /// <param name="name">Names the picture in messages.</param>
    /// <param name="owner">The owner of the memory, which this object disposes; not if the bytes are refused.</param>
    /// <exception cref="NotAPictureException">The bytes do not begin like a picture.</exception>
    public static PictureInput OfMemory(ReadOnlyMemory<byte> bytes, string name = MemoryName, IDisposable? owner = null)
    {
        PictureFormat format = PictureFormats.Detect(bytes.Span) ?? throw new NotAPictureException(name);
        return new PictureInput(name, bytes, format, owner);
    }

    /// <summary>All bytes in memory, which is this object's.</summary>
    /// <exception cref="PictureTooLargeException">There are more than <see cref="MostBytes"/>.</exception>
    public ReadOnlyMemory<byte> ToMemory()
    {
        RequireSize(Name, Stream.Length);
        if (_bytes is null) (_bytes, _owner) = ReadAll(Name, Stream);
        return _bytes.Value;
    }

    /// <summary>Checks a size before memory is allocated.</summary>
    /// <exception cref="PictureTooLargeException">There are more than <see cref="MostBytes"/>.</exception>
    public static void RequireSize(string name, long bytes, int most = MostBytes)
    {
        if (bytes > most)
            throw new PictureTooLargeException(name,
                string.Create(CultureInfo.InvariantCulture, $"it has {bytes:N0} bytes, and pictures of up to {most:N0} are read"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stream.Dispose();
        _owner?.Dispose();
    }

    private static (ReadOnlyMemory<byte> Bytes, IDisposable Owner) ReadAll(string name, Stream stream)
    {
        RequireSize(name, stream.Length);
        var owner = MemoryOwner<byte>.Allocate((int)stream.Length);
        try
        {
            stream.Position = 0;
            stream.ReadExactly(owner.Span);
            return (owner.Memory, owner);
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }
}

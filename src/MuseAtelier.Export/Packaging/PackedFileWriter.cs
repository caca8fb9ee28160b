using MuseAtelier.Format;

namespace MuseAtelier.Export.Packaging;

/// <summary>Writes one file of a package and computes its digest while writing.</summary>
internal sealed class PackedFileWriter : IDisposable
{
    private static readonly byte[] Zeros = new byte[64 << 10];

    private readonly string _name;
    private readonly FileStream _stream;
    private readonly Sha256 _hash = new();
    private readonly Action<long> _written;

    public PackedFileWriter(string folder, string name, Action<long> written)
    {
        _name = name;
        _written = written;
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 20);
    }

    /// <summary>Bytes written so far, which is the offset of the next byte.</summary>
    public long Position { get; private set; }

    public void Write(ReadOnlySpan<byte> data)
    {
        _stream.Write(data);
        _hash.Append(data);
        Position += data.Length;
        _written(data.Length);
    }

    /// <summary>Writes zeros up to a position, which must not be before <see cref="Position"/>.</summary>
    public void PadTo(long position)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(position, Position);
        // The gaps of an overlay are those of its base's manifest, which may be of any size.
        while (Position < position) Write(Zeros.AsSpan(0, (int)Math.Min(position - Position, Zeros.Length)));
    }

    public FileSpec Finish()
    {
        // The file must reach the disk because the package's folder gets its final name only when all of its content is stored.
        _stream.Flush(flushToDisk: true);
        return new FileSpec(_name, Position, _hash.Finish());
    }

    public void Dispose()
    {
        _stream.Dispose();
        _hash.Dispose();
    }
}

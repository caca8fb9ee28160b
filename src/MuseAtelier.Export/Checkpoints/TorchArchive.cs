using System.Buffers.Binary;
using System.Text;
using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// The zip archive of <c>torch.save</c>: <c>NAME/data.pkl</c> describes the tensors, and <c>NAME/data/KEY</c> holds a storage each.
/// PyTorch stores every entry without compression, so that each is a range of the file; other archives are refused. The structures are
/// those of PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16, and those of <see cref="TorchZip64"/>.
/// </summary>
internal sealed class TorchArchive
{
    private const uint LocalHeader = 0x04034B50;
    private const uint CentralHeader = 0x02014B50;
    private const uint EndOfDirectory = 0x06054B50;
    private const int LocalHeaderBytes = 30;
    private const int CentralHeaderBytes = 46;
    private const int EndBytes = 22;
    private const int LongestComment = 0xFFFF;
    private const int MostEntries = SafetensorsHeader.MostTensors;
    private const int MostDirectoryBytes = 8 << 20;
    private const string PickleName = "data.pkl";
    private const string StorageFolder = "data/";
    private const string ByteOrderName = "byteorder";

    private readonly string _path;
    private readonly FileStream _stream;
    private readonly Dictionary<string, TorchRange> _entries;

    private TorchArchive(string path, FileStream stream, Dictionary<string, TorchRange> entries)
    {
        _path = path;
        _stream = stream;
        _entries = entries;
        Storages = entries
            .Where(entry => entry.Key.StartsWith(StorageFolder, StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key[StorageFolder.Length..], entry => entry.Value, StringComparer.Ordinal);
    }

    /// <summary>The ranges of the storages by their keys.</summary>
    public IReadOnlyDictionary<string, TorchRange> Storages { get; }

    /// <summary>Whether a file begins like a zip archive.</summary>
    public static bool IsZip(ReadOnlySpan<byte> head) => head.StartsWith("PK\u0003\u0004"u8);

    /// <summary>Reads the directory of an archive and checks every entry.</summary>
    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="stream">The file; borrowed.</param>
    /// <exception cref="TorchArchiveException">The archive is not one of <c>torch.save</c>, or it is damaged.</exception>
    public static TorchArchive Read(string path, FileStream stream)
    {
        byte[] directory = ReadDirectory(path, stream, out int count, out long dataEnd);
        var entries = new Dictionary<string, TorchRange>(StringComparer.Ordinal);
        string? root = null;
        int position = 0;
        for (int i = 0; i < count; i++)
        {
            (string name, TorchRange range, int next) = ReadEntry(path, stream, directory, position, dataEnd);
            position = next;
            int slash = name.IndexOf('/', StringComparison.Ordinal);
            if (slash <= 0) throw new TorchArchiveException(path, $"its entry '{SafetensorsHeader.Shorten(name)}' lies in no folder");
            root ??= name[..slash];
            if (!name.AsSpan(0, slash).SequenceEqual(root)) throw new TorchArchiveException(path, "its entries lie in several folders");
            if (!entries.TryAdd(name[(slash + 1)..], range))
                throw new TorchArchiveException(path, $"its entry '{SafetensorsHeader.Shorten(name)}' stands there twice");
        }

        RequireSeparate(path, entries);
        if (!entries.ContainsKey(PickleName)) throw new TorchArchiveException(path, $"it holds no {PickleName}");
        var archive = new TorchArchive(path, stream, entries);
        archive.RequireLittleEndian();
        return archive;
    }

    /// <summary>The description of the tensors.</summary>
    /// <param name="mostBytes">The most bytes that it may have.</param>
    public byte[] ReadPickle(int mostBytes)
    {
        TorchRange range = _entries[PickleName];
        if (range.Bytes > mostBytes)
            throw new TorchArchiveException(_path, Invariant($"its {PickleName} has {range.Bytes:N0} bytes, more than {mostBytes:N0}"));
        byte[] pickle = GC.AllocateUninitializedArray<byte>((int)range.Bytes);
        ReadAt(_path, _stream, range.Offset, pickle);
        return pickle;
    }

    private void RequireLittleEndian()
    {
        if (!_entries.TryGetValue(ByteOrderName, out TorchRange range)) return;
        Span<byte> text = stackalloc byte[6];
        if (range.Bytes == text.Length) ReadAt(_path, _stream, range.Offset, text);
        if (!text.SequenceEqual("little"u8)) throw new TorchArchiveException(_path, "its numbers are not little-endian");
    }

    private static byte[] ReadDirectory(string path, FileStream stream, out int count, out long dataEnd)
    {
        long length = stream.Length;
        byte[] tail = new byte[(int)Math.Min(length, EndBytes + LongestComment)];
        ReadAt(path, stream, length - tail.Length, tail);
        int end = tail.Length - EndBytes;
        while (end >= 0 && !IsEnd(tail, end)) end--;
        if (end < 0) throw new TorchArchiveException(path, "it has no directory: its end is missing");
        ReadOnlySpan<byte> record = tail.AsSpan(end, EndBytes);
        var found = new ZipDirectory(
            BinaryPrimitives.ReadUInt16LittleEndian(record[10..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[12..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[16..]),
            length - tail.Length + end);
        if (found.Count == ushort.MaxValue || found.Bytes == uint.MaxValue || found.Offset == uint.MaxValue)
            found = TorchZip64.ReadEnd(path, stream, found.End);
        if (found.Count is < 0 or > MostEntries || found.Bytes is < 0 or > MostDirectoryBytes)
            throw new TorchArchiveException(path, Invariant($"its directory has {found.Count:N0} entries in {found.Bytes:N0} bytes"));
        if (found.Offset < 0 || found.Offset > found.End - found.Bytes)
            throw new TorchArchiveException(path, "its directory lies outside of it");
        (count, dataEnd) = ((int)found.Count, found.Offset);
        byte[] directory = new byte[(int)found.Bytes];
        ReadAt(path, stream, dataEnd, directory);
        return directory;
    }

    private static bool IsEnd(byte[] tail, int at) =>
        BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at)) == EndOfDirectory
        && at + EndBytes + BinaryPrimitives.ReadUInt16LittleEndian(tail.AsSpan(at + 20)) == tail.Length;

    private static (string Name, TorchRange Range, int Next) ReadEntry(
        string path, FileStream stream, byte[] directory, int position, long dataEnd)
    {
        ReadOnlySpan<byte> header = directory.AsSpan(position);
        if (header.Length < CentralHeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(header) != CentralHeader)
            throw new TorchArchiveException(path, "its directory ends in the middle of an entry");
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]), method = BinaryPrimitives.ReadUInt16LittleEndian(header[10..]);
        var stated = new ZipSizes(
            BinaryPrimitives.ReadUInt32LittleEndian(header[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(header[20..]),
            BinaryPrimitives.ReadUInt32LittleEndian(header[42..]));
        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        int extraLength = BinaryPrimitives.ReadUInt16LittleEndian(header[30..]);
        int next = CentralHeaderBytes + nameLength + extraLength + BinaryPrimitives.ReadUInt16LittleEndian(header[32..]);
        if (next > header.Length) throw new TorchArchiveException(path, "its directory ends in the middle of an entry");
        ReadOnlySpan<byte> rawName = header.Slice(CentralHeaderBytes, nameLength);
        string name = Encoding.UTF8.GetString(rawName);
        string entry = $"its entry '{SafetensorsHeader.Shorten(name)}'";
        // Bit 0 of the flags means encryption.
        if ((flags & 1) != 0) throw new TorchArchiveException(path, $"{entry} is encrypted");
        if (TorchZip64.Widen(header.Slice(CentralHeaderBytes + nameLength, extraLength), stated) is not var (bytes, packed, start))
            throw new TorchArchiveException(path, $"{entry} has no size");
        if (method != 0 || packed != bytes) throw new TorchArchiveException(path, $"{entry} is compressed (method {method})");
        long data = DataOf(path, stream, start, rawName, dataEnd, entry);
        if (bytes > dataEnd - data) throw new TorchArchiveException(path, $"{entry} lies outside of it");
        return (name, new TorchRange(data, bytes), position + next);
    }

    // The first byte of an entry's data, which follows a header of its own. Its extra field, which PyTorch uses for alignment, may differ
    // from that of the directory.
    private static long DataOf(string path, FileStream stream, long start, ReadOnlySpan<byte> name, long dataEnd, string entry)
    {
        Span<byte> header = stackalloc byte[LocalHeaderBytes];
        if (start > dataEnd - LocalHeaderBytes - name.Length) throw new TorchArchiveException(path, $"{entry} lies outside of it");
        ReadAt(path, stream, start, header);
        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(header[26..]);
        byte[] found = new byte[name.Length];
        ReadAt(path, stream, start + LocalHeaderBytes, found);
        bool isSame = BinaryPrimitives.ReadUInt32LittleEndian(header) == LocalHeader
            && nameLength == name.Length
            && name.SequenceEqual(found);
        if (!isSame) throw new TorchArchiveException(path, $"{entry} is not where the directory says");
        return start + LocalHeaderBytes + nameLength + BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
    }

    private static void RequireSeparate(string path, Dictionary<string, TorchRange> entries)
    {
        KeyValuePair<string, TorchRange>[] ordered = [.. entries.Where(entry => entry.Value.Bytes > 0)];
        Array.Sort(ordered, static (a, b) => a.Value.Offset.CompareTo(b.Value.Offset));
        for (int i = 1; i < ordered.Length; i++)
        {
            TorchRange before = ordered[i - 1].Value;
            if (ordered[i].Value.Offset < before.Offset + before.Bytes)
                throw new TorchArchiveException(path, $"its entry '{SafetensorsHeader.Shorten(ordered[i].Key)}' overlaps another");
        }
    }

    /// <summary>Reads bytes at an offset.</summary>
    /// <exception cref="TorchArchiveException">The file ends before.</exception>
    internal static void ReadAt(string path, FileStream stream, long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(stream.SafeFileHandle, destination, offset);
            if (read == 0) throw new TorchArchiveException(path, "it ends before its directory says");
            destination = destination[read..];
            offset += read;
        }
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// The records of zip64, which hold the sizes and offsets of an archive that do not fit its own fields: those of more than 4 GiB, and any
/// that a program writes before it knows them. (PKWARE's APPNOTE.TXT, sections 4.3.14, 4.3.15 and 4.5.3.)
/// </summary>
internal static class TorchZip64
{
    private const uint Locator = 0x07064B50;
    private const uint EndRecord = 0x06064B50;
    private const int LocatorBytes = 20;
    private const int EndRecordBytes = 56;
    private const int ExtraHeaderBytes = 4;
    private const ushort ExtraField = 1;

    /// <summary>Reads where the directory lies.</summary>
    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="stream">The file; borrowed.</param>
    /// <param name="end">The offset of the archive's usual end, before which the locator lies.</param>
    /// <exception cref="TorchArchiveException">The records are missing or damaged.</exception>
    public static ZipDirectory ReadEnd(string path, FileStream stream, long end)
    {
        Span<byte> locator = stackalloc byte[LocatorBytes], record = stackalloc byte[EndRecordBytes];
        if (end < LocatorBytes + EndRecordBytes) throw Missing(path);
        TorchArchive.ReadAt(path, stream, end - LocatorBytes, locator);
        long start = BinaryPrimitives.ReadInt64LittleEndian(locator[8..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(locator) != Locator) throw Missing(path);
        if (start < 0 || start > end - LocatorBytes - EndRecordBytes) throw Missing(path);
        TorchArchive.ReadAt(path, stream, start, record);
        if (BinaryPrimitives.ReadUInt32LittleEndian(record) != EndRecord) throw Missing(path);
        return new ZipDirectory(
            BinaryPrimitives.ReadInt64LittleEndian(record[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(record[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(record[48..]),
            start);
    }

    /// <summary>Reads the numbers of an entry that do not fit its header.</summary>
    /// <param name="extra">The extra fields of the entry in the directory.</param>
    /// <param name="sizes">The entry's numbers, of which those with all bits set are replaced.</param>
    /// <returns>The numbers; null where they are missing or beyond 2^63.</returns>
    public static ZipSizes? Widen(ReadOnlySpan<byte> extra, ZipSizes sizes)
    {
        if (sizes is { Bytes: < uint.MaxValue, Packed: < uint.MaxValue, Start: < uint.MaxValue }) return sizes;
        ReadOnlySpan<byte> field = Find(extra);
        // The field has only the numbers that do not fit, in this order.
        bool isWhole = TryTake(ref field, sizes.Bytes, out long bytes)
            & TryTake(ref field, sizes.Packed, out long packed)
            & TryTake(ref field, sizes.Start, out long start);
        return isWhole ? new ZipSizes(bytes, packed, start) : null;
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= ExtraHeaderBytes)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (length > extra.Length - ExtraHeaderBytes) return default;
            if (BinaryPrimitives.ReadUInt16LittleEndian(extra) == ExtraField) return extra.Slice(ExtraHeaderBytes, length);
            extra = extra[(ExtraHeaderBytes + length)..];
        }

        return default;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> field, long stated, out long value)
    {
        value = stated;
        if (stated < uint.MaxValue) return true;
        if (field.Length < sizeof(long)) return false;
        value = BinaryPrimitives.ReadInt64LittleEndian(field);
        field = field[sizeof(long)..];
        return value >= 0;
    }

    private static TorchArchiveException Missing(string path) =>
        new(path, "its end refers to records of zip64, which are missing or damaged");
}

/// <summary>Where the directory of a zip archive lies.</summary>
/// <param name="Count">The number of its entries.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Offset">Its first byte, counted from the start of the file.</param>
/// <param name="End">The first byte behind which it must not reach.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ZipDirectory(long Count, long Bytes, long Offset, long End);

/// <summary>The numbers of an entry in the directory of a zip archive.</summary>
/// <param name="Bytes">The size of its content.</param>
/// <param name="Packed">The size that it takes in the archive.</param>
/// <param name="Start">The offset of its local header.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ZipSizes(long Bytes, long Packed, long Start);

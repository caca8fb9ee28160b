using System.Buffers.Binary;
using System.Text;
using static System.FormattableString;

namespace MuseAtelier.Tests.Support;

/// <summary>
/// Writes zip64 archives of stored entries (PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 to 4.3.16 and 4.5.3), with holes for large ones.
/// </summary>
internal static class Zip64Writer
{
    private const ushort Version = 45;

    /// <summary>
    /// Writes an archive of <c>torch.save</c> whose numbers are all those of zip64, as programs write them that cannot seek.
    /// </summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="pickle">The description of the tensors.</param>
    /// <param name="storages">The storages, whose keys are their numbers.</param>
    /// <param name="hole">
    /// Bytes of a further storage between the description and the others, which holds zeros and takes no room where the file system has
    /// holes. With one, only numbers that need it are those of zip64, as PyTorch writes them.
    /// </param>
    public static string WriteTorch(string path, byte[] pickle, byte[][] storages, long hole = 0)
    {
        using FileStream file = File.Create(path);
        var directory = new MemoryStream();
        bool always = hole == 0;
        int count = 0;
        Add("archive/data.pkl", pickle, 0);
        Add("archive/byteorder", "little"u8.ToArray(), 0);
        if (hole > 0) Add("archive/data/hole", [], hole);
        for (int i = 0; i < storages.Length; i++) Add(Invariant($"archive/data/{i}"), storages[i], 0);
        long start = file.Position, end = start + directory.Length;
        directory.WriteTo(file);
        file.Write([.. Four(0x06064B50), .. Eight(44), .. Two(Version), .. Two(Version), .. Four(0), .. Four(0)]);
        file.Write([.. Eight(count), .. Eight(count), .. Eight(end - start), .. Eight(start)]);
        file.Write([.. Four(0x07064B50), .. Four(0), .. Eight(end), .. Four(1)]);
        byte[] entries = Two(always ? ushort.MaxValue : count);
        file.Write([.. Four(0x06054B50), .. Two(0), .. Two(0), .. entries, .. entries]);
        file.Write([.. Field(end - start), .. Field(start), .. Two(0)]);
        return path;

        void Add(string name, byte[] content, long zeros)
        {
            count++;
            byte[] text = Encoding.UTF8.GetBytes(name);
            long bytes = content.Length + zeros, offset = file.Position;
            byte[] crc = Four(zeros > 0 ? 0 : Crc(content));
            byte[] sizes = [.. Wide(bytes), .. Wide(bytes)];
            byte[] extra = sizes.Length == 0 ? [] : [.. Two(1), .. Two(sizes.Length), .. sizes];
            byte[] common = [.. Two(Version), .. Two(0), .. Two(0), .. Two(0), .. Two(0x21), .. crc, .. Field(bytes), .. Field(bytes)];
            file.Write([.. Four(0x04034B50), .. common, .. Two(text.Length), .. Two(extra.Length), .. text, .. extra]);
            file.Write(content);
            file.Position += zeros;
            byte[] all = [.. sizes, .. Wide(offset)];
            // A field of another kind stands before that of zip64, as PyTorch pads entries.
            byte[] field = all.Length == 0 ? [] : [.. Two(1), .. Two(all.Length), .. all];
            byte[] padded = [.. Two(0x4246), .. Two(2), .. Two(0), .. field];
            directory.Write([.. Four(0x02014B50), .. Two(Version), .. common, .. Two(text.Length), .. Two(padded.Length)]);
            directory.Write([.. Two(0), .. Two(0), .. Two(0), .. Four(0), .. Field(offset), .. text, .. padded]);
        }

        bool IsWide(long value) => always || value >= uint.MaxValue;

        byte[] Wide(long value) => IsWide(value) ? Eight(value) : [];

        byte[] Field(long value) => Four(IsWide(value) ? uint.MaxValue : value);
    }

    // CRC-32 as in APPNOTE.TXT 4.4.7.
    private static long Crc(byte[] content)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in content)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
        }

        return ~crc;
    }

    private static byte[] Two(int value) => [(byte)value, (byte)(value >> 8)];

    private static byte[] Four(long value) => [.. Two((int)(value & 0xFFFF)), .. Two((int)(value >> 16 & 0xFFFF))];

    private static byte[] Eight(long value)
    {
        byte[] bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }
}

using System.Buffers.Binary;
using System.IO.Hashing;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damages the chunks of a PNG file and recomputes their checksums, so that readers accept the checksums.</summary>
internal static class PngFuzz
{
    private const int SignatureBytes = 8,
        FrameBytes = 12,
        TypeAt = 4,
        DataAt = 8;

    public static byte[] Damage(Random random, byte[] png)
    {
        List<byte[]> chunks = Split(png);
        for (int faults = 1 + random.Next(2); faults > 0 && chunks.Count > 0; faults--)
        {
            int at = random.Next(chunks.Count),
                other = random.Next(chunks.Count);
            switch (random.Next(7))
            {
                case 0:
                    chunks.RemoveAt(at);
                    break;
                case 1:
                    chunks.Insert(other, chunks[at]);
                    break;
                case 2:
                    (chunks[at], chunks[other]) = (chunks[other], chunks[at]);
                    break;
                case 3:
                    chunks[at] = Chunk(chunks[at].AsSpan(TypeAt, 4), []);
                    break;
                case 4:
                    chunks[at] = Chunk(chunks[other].AsSpan(TypeAt, 4), Data(chunks[at]));
                    break;
                default:
                    chunks[at] = Chunk(
                        chunks[at].AsSpan(TypeAt, 4),
                        Data(chunks[at]) is { Length: > 0 } data ? ByteFuzz.Damage(random, data) : [0]
                    );
                    break;
            }
        }

        return [.. png[..SignatureBytes], .. chunks.SelectMany(chunk => chunk)];
    }

    private static List<byte[]> Split(byte[] png)
    {
        var chunks = new List<byte[]>();
        for (int at = SignatureBytes; at < png.Length;)
        {
            int bytes = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at)) + FrameBytes;
            chunks.Add(png[at..(at + bytes)]);
            at += bytes;
        }

        return chunks;
    }

    private static byte[] Data(byte[] chunk) => chunk[DataAt..^4];

    private static byte[] Chunk(ReadOnlySpan<byte> type, byte[] data)
    {
        byte[] chunk = new byte[data.Length + FrameBytes];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        type.CopyTo(chunk.AsSpan(TypeAt));
        data.CopyTo(chunk, DataAt);
        BinaryPrimitives.WriteUInt32BigEndian(
            chunk.AsSpan(DataAt + data.Length),
            Crc32.HashToUInt32(chunk.AsSpan(TypeAt, 4 + data.Length))
        );
        return chunk;
    }
}

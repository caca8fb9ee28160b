using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damages safetensors files: the JSON of their headers, their numbers, and what a sound header describes.</summary>
internal static class SafetensorsFuzz
{
    private const int PrefixBytes = 8;

    private static readonly string[] Types = ["F16", "F32", "BF16", "F64", "I8", "U8", "I64", "BOOL", "F8_E4M3", "F8_E5M2", "F4", ""];

    // 0xFF in all bytes of a number is NaN, and 0x7C00 and 0x7F800000 are infinity.
    private static readonly byte[][] Numbers =
        [[0xFF, 0xFF, 0xFF, 0xFF], [0x00, 0x7C, 0x00, 0x7C], [0, 0, 0x80, 0x7F], [0xFF, 0x7B, 0xFF, 0x7B], [0, 0, 0, 0], [1, 0, 1, 0]];

    /// <summary>Returns a damaged copy of a whole file.</summary>
    /// <param name="random">The source of the damage.</param>
    /// <param name="file">The valid file.</param>
    /// <param name="names">Names that a tensor may get.</param>
    public static byte[] Damage(Random random, byte[] file, IReadOnlyList<string> names)
    {
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        byte[] header = file[PrefixBytes..(PrefixBytes + length)], data = file[(PrefixBytes + length)..];
        switch (random.Next(8))
        {
            case 0:
                return ByteFuzz.Damage(random, file);
            case 1:
                data = OtherNumbers(random, data);
                break;
            case < 5:
                header = JsonFuzz.Damage(random, header);
                break;
            default:
                header = Rearrange(random, header, names);
                break;
        }

        return [.. Prefix(header.Length), .. header, .. data];
    }

    /// <summary>The eight bytes before a header.</summary>
    public static byte[] Prefix(long length)
    {
        byte[] prefix = new byte[PrefixBytes];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, length);
        return prefix;
    }

    /// <summary>Returns a sound header that describes another model: shapes, types and names that are not those of the file.</summary>
    /// <param name="random">The source of the damage.</param>
    /// <param name="header">The valid header.</param>
    /// <param name="newNames">Names that a tensor may get.</param>
    public static byte[] Rearrange(Random random, byte[] header, IReadOnlyList<string> newNames)
    {
        JsonObject tensors = JsonNode.Parse(header)!.AsObject();
        string[] names = [.. tensors.Select(tensor => tensor.Key).Where(name => name != "__metadata__")];
        for (int faults = 1 + random.Next(3); faults > 0; faults--)
        {
            string name = names[random.Next(names.Length)],
                other = names[random.Next(names.Length)];
            if (tensors[name] is not JsonObject tensor || tensors[other] is not JsonObject second)
                continue;
            long[] shape = [.. tensor["shape"]!.AsArray().Select(size => size!.GetValue<long>())];
            switch (random.Next(9))
            {
                case 0:
                    tensors.Remove(name);
                    break;
                case 1:
                    (tensors[name], tensors[other]) = (second.DeepClone(), tensor.DeepClone());
                    break;
                case 2:
                    tensor["shape"] = Shape(shape.Reverse());
                    break;
                case 3:
                    tensor["shape"] = Shape([shape.Aggregate(1L, (product, size) => product * size)]);
                    break;
                case 4:
                    tensor["shape"] = Shape([.. shape, 1]);
                    break;
                case 5:
                    tensor["shape"] = Shape([1, .. shape]);
                    break;
                case 6:
                    tensor["dtype"] = Types[random.Next(Types.Length)];
                    break;
                case 7:
                    JsonNode moved = tensor.DeepClone();
                    // A second tensor over the same bytes is refused, so the first one has to go for the new name to be read.
                    if (random.Next(2) == 0) tensors.Remove(name);
                    tensors[newNames[random.Next(newNames.Count)]] = moved;
                    break;
                default:
                    RemoveAll(tensors, name[..random.Next(1, name.Length)]);
                    break;
            }
        }

        return Encoding.UTF8.GetBytes(tensors.ToJsonString());

        static JsonArray Shape(IEnumerable<long> sizes) => [.. sizes.Select(size => JsonValue.Create(size))];
    }

    private static byte[] OtherNumbers(Random random, byte[] data)
    {
        byte[] damaged = [.. data];
        for (int faults = 1 + random.Next(8); faults > 0 && damaged.Length >= 4; faults--)
        {
            int at = random.Next(damaged.Length / 4) * 4;
            Numbers[random.Next(Numbers.Length)].CopyTo(damaged.AsSpan(at));
        }

        return damaged;
    }

    private static void RemoveAll(JsonObject tensors, string start)
    {
        foreach (
            string name in tensors.Select(tensor => tensor.Key).Where(name => name.StartsWith(start, StringComparison.Ordinal)).ToArray()
        )
            tensors.Remove(name);
    }
}

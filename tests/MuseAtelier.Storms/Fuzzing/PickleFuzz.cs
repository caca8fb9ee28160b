using System.Buffers.Binary;
using System.Text;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damages pickles instruction by instruction, so that most of them can still be parsed.</summary>
internal static class PickleFuzz
{
    private static readonly byte[][] Instructions =
    [
        .. "N)]}(.tuseaRbQ012io".Select(code => new[] { (byte)code }),
        .. new byte[] { 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8F, 0x92, 0x93, 0x94 }.Select(code => new[] { code }),
        [0x80, 2],
        [0x80, 9],
        [0x95, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        [0x8A, 0],
        [0x8A, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        [0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x80],
        [0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        [(byte)'J', 0xFF, 0xFF, 0xFF, 0x7F],
        [(byte)'J', 0, 0, 0, 0x80],
        [(byte)'J', 0xFF, 0xFF, 0xFF, 0xFF],
        [(byte)'K', 0],
        [(byte)'M', 0xFF, 0xFF],
        [(byte)'G', 0x7F, 0xF8, 0, 0, 0, 0, 0, 0],
        [(byte)'X', 0, 0, 0, 0],
        [(byte)'X', 0xFF, 0xFF, 0xFF, 0xFF],
        [(byte)'X', 2, 0, 0, 0, 0xED, 0xA0],
        [(byte)'U', 1, (byte)'\n'],
        [0x8C, 3, 0x1B, (byte)'[', (byte)'J'],
        [(byte)'q', 0],
        [(byte)'h', 0],
        [(byte)'r', 0xFF, 0xFF, 0xFF, 0xFF],
        [(byte)'j', 0xFF, 0xFF, 0xFF, 0xFF],
        .. new[] { "os\nsystem", "torch\nIntStorage", "torch\nSize", "torch._utils\n_rebuild_parameter", "torch._utils\n_rebuild_tensor" }
            .Select(name => new byte[] { (byte)'c' }.Concat(Encoding.UTF8.GetBytes(name + "\n")).ToArray()),
    ];

    /// <summary>Returns a copy with one or two damaged instructions.</summary>
    /// <param name="random">The source of the damage.</param>
    /// <param name="bytes">Bytes that hold pickles of <see cref="PickleWriter"/>.</param>
    /// <param name="start">The first byte of the first pickle.</param>
    /// <param name="pickles">The number of pickles. Everything behind them stays as it is.</param>
    public static byte[] Damage(Random random, byte[] bytes, int start, int pickles)
    {
        List<byte[]> instructions = [];
        int position = start;
        for (int ends = 0; ends < pickles;)
        {
            int length = LengthOf(bytes.AsSpan(position));
            instructions.Add(bytes[position..(position + length)]);
            if (bytes[position] == (byte)'.') ends++;
            position += length;
        }

        for (int faults = 1 + random.Next(2); faults > 0 && instructions.Count > 0; faults--)
        {
            int at = random.Next(instructions.Count),
                other = random.Next(instructions.Count),
                count = Math.Min(1 + random.Next(8), instructions.Count - at);
            switch (random.Next(9))
            {
                case 0:
                    instructions.RemoveAt(at);
                    break;
                case 1:
                    instructions.InsertRange(other, instructions.GetRange(at, count));
                    break;
                case 2:
                    (instructions[at], instructions[other]) = (instructions[other], instructions[at]);
                    break;
                case 3:
                    instructions[at] = Instructions[random.Next(Instructions.Length)];
                    break;
                case 4:
                    instructions.Insert(at, Instructions[random.Next(Instructions.Length)]);
                    break;
                case 5:
                    // A loop of objects needs one that is stored and recalled within itself.
                    instructions.Insert(at, [(byte)'q', 7]);
                    instructions.Insert(Math.Min(instructions.Count, at + count), [(byte)'h', 7]);
                    break;
                default:
                    NudgeNumber(random, instructions, at);
                    break;
            }
        }

        return [.. bytes[..start], .. instructions.SelectMany(instruction => instruction), .. bytes[position..]];
    }

    private static void NudgeNumber(Random random, List<byte[]> instructions, int from)
    {
        int at = instructions.FindIndex(from, instruction => instruction[0] == (byte)'J');
        if (at < 0) return;
        int value = BinaryPrimitives.ReadInt32LittleEndian(instructions[at].AsSpan(1));
        long changed = random.Next(8) switch
        {
            0 => value + 1L,
            1 => value - 1L,
            2 => value * 2L,
            3 => -(long)value,
            4 => 0,
            5 => (long)value << random.Next(62),
            6 => long.MaxValue >> random.Next(63),
            _ => random.Next(),
        };
        instructions[at] = new PickleWriter().Number(changed).End()[2..^1];
    }

    // The instructions that the writer uses.
    private static int LengthOf(ReadOnlySpan<byte> bytes) => bytes[0] switch
    {
        0x80 or (byte)'K' or (byte)'q' or (byte)'h' => 2,
        (byte)'J' => 5,
        0x8A => 2 + bytes[1],
        (byte)'X' => 5 + BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]),
        (byte)'c' => 2 + bytes.IndexOf((byte)'\n') + bytes[(bytes.IndexOf((byte)'\n') + 1)..].IndexOf((byte)'\n'),
        _ => 1,
    };
}

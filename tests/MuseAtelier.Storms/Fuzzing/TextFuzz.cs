using System.Text;
using MuseAtelier.Storms.Texts;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damages letters and words of a text.</summary>
internal static class TextFuzz
{
    private static readonly string[] Words =
    [
        "Steps: ",
        "Seed: ",
        "Size: ",
        "CFG scale: ",
        "Sampler: ",
        "Negative prompt: ",
        "Model hash: ",
        "Hashes: {",
        "Lora hashes: \"",
        "Clip skip: ",
        "Schedule type: ",
        "RNG: ",
        "0",
        "-1",
        "99999999999999999999",
        "1e400",
        "NaN",
        "0x10",
        "1x",
        "x1",
        "4294967296x4294967296",
        "\"",
        "\\",
        "\\\"",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ":",
        ",",
        "\n",
        "\r",
        "\0",
        "BREAK",
        "AND",
        "<lora:a:1>",
        "(a:1.5)",
        "embedding:x",
        "[a:b:0.5]",
        "&amp;",
        "\ud83c",
        "\udf03",
        "\u0301",
        "\ufeff",
    ];

    public static string Damage(Random random, string text)
    {
        var builder = new StringBuilder(text);
        for (int faults = 1 + random.Next(4); faults > 0; faults--)
        {
            int at = random.Next(builder.Length + 1),
                length = Math.Min(random.Next(1, 16), builder.Length - at);
            switch (random.Next(8))
            {
                case 0:
                    builder.Remove(at, length);
                    break;
                case 1:
                    builder.Insert(at, builder.ToString(at, length));
                    break;
                case 2:
                    builder.Insert(at, (char)random.Next(0x10000));
                    break;
                case 3:
                    if (at < builder.Length)
                        builder[at] = (char)random.Next(128);
                    break;
                case 4:
                    builder.Insert(at, Many(random, Words[random.Next(Words.Length)]));
                    break;
                case 5:
                    builder.Insert(at, Many(random, TokensStorm.Scripts[random.Next(TokensStorm.Scripts.Count)].Piece));
                    break;
                case 6:
                    builder.Length = at;
                    break;
                default:
                    builder.Insert(at, Words[random.Next(Words.Length)]);
                    break;
            }
        }

        return builder.ToString();
    }

    private static string Many(Random random, string piece) =>
        string.Concat(Enumerable.Repeat(piece, random.Next(20) == 0 ? 20_000 : random.Next(1, 300)));
}

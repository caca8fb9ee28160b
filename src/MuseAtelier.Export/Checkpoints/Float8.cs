namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// The two 8-bit floating-point formats of Micikevicius et al., "FP8 Formats for Deep Learning" (2022), under the names of safetensors. A
/// code consists of a sign bit, then the exponent, then the mantissa.
/// </summary>
internal static class Float8
{
    /// <summary>4 bits of exponent (bias 7), 3 of mantissa. There are no infinities; NaN is the code with all seven bits set.</summary>
    public const string E4M3Name = "F8_E4M3";

    /// <summary>5 bits of exponent (bias 15), 2 of mantissa, infinities and NaNs as in IEEE 754: the upper half of a binary16.</summary>
    public const string E5M2Name = "F8_E5M2";

    private static readonly float[] E4M3 = [.. Enumerable.Range(0, 256).Select(code => E4M3ToSingle((byte)code))];
    private static readonly float[] E5M2 =
        [.. Enumerable.Range(0, 256).Select(code => (float)BitConverter.UInt16BitsToHalf((ushort)(code << 8)))];

    /// <summary>Converts codes to fp32. The conversion is exact.</summary>
    /// <param name="type"><see cref="E4M3Name"/> or <see cref="E5M2Name"/>.</param>
    /// <param name="codes">The codes.</param>
    /// <param name="values">Receives the numbers; must be as long as the codes.</param>
    public static void Widen(string type, ReadOnlySpan<byte> codes, Span<float> values)
    {
        float[] table = type == E4M3Name ? E4M3 : E5M2;
        for (int i = 0; i < codes.Length; i++) values[i] = table[codes[i]];
    }

    private static float E4M3ToSingle(byte code)
    {
        int exponent = (code >> 3) & 0xF, mantissa = code & 0x7;
        float magnitude = (exponent, mantissa) switch
        {
            (0xF, 0x7) => float.NaN,
            (0, _) => MathF.ScaleB(mantissa, -9),
            _ => MathF.ScaleB(8 + mantissa, exponent - 10),
        };
        return (code & 0x80) == 0 ? magnitude : -magnitude;
    }
}

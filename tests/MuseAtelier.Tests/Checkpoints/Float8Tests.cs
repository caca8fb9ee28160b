using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Tests.Checkpoints;

/// <summary>
/// All codes of both formats, against the definition of Micikevicius et al. (2022), table 1, written down here once more by another way.
/// </summary>
public sealed class Float8Tests
{
    [Theory]
    [InlineData("F8_E4M3", 4, 7, false)]
    [InlineData("F8_E5M2", 5, 15, true)]
    public void Widen_OfEveryCode_GivesTheDefinitionsNumber(string type, int exponentBits, int bias, bool hasInfinities)
    {
        byte[] codes = [.. Enumerable.Range(0, 256).Select(code => (byte)code)];
        float[] values = new float[256];
        Float8.Widen(type, codes, values);
        foreach (byte code in codes)
        {
            // Equal as bits, so that signs of zeros count; a NaN is any NaN.
            float expected = (float)Define(code, exponentBits, bias, hasInfinities);
            if (float.IsNaN(expected)) Assert.True(float.IsNaN(values[code]), $"{code:X2}");
            else Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(values[code]));
            // Packages keep both formats as F16, which must lose nothing.
            if (!float.IsNaN(expected)) Assert.Equal(expected, (float)(Half)expected);
        }
    }

    [Theory]
    [InlineData("F8_E4M3", 0x7E, 448)]
    [InlineData("F8_E4M3", 0x01, 0.001953125)]
    [InlineData("F8_E4M3", 0x08, 0.015625)]
    [InlineData("F8_E4M3", 0xFF, double.NaN)]
    [InlineData("F8_E5M2", 0x7B, 57344)]
    [InlineData("F8_E5M2", 0x01, 1.52587890625e-05)]
    [InlineData("F8_E5M2", 0xFC, double.NegativeInfinity)]
    [InlineData("F8_E5M2", 0x7D, double.NaN)]
    public void Widen_OfThePublishedExtremes_GivesThem(string type, byte code, double expected)
    {
        float[] values = new float[1];
        Float8.Widen(type, [code], values);
        Assert.Equal((float)expected, values[0]);
    }

    private static double Define(byte code, int exponentBits, int bias, bool hasInfinities)
    {
        int mantissaBits = 7 - exponentBits;
        int exponent = (code & 0x7F) >> mantissaBits, mantissa = code & ((1 << mantissaBits) - 1), top = (1 << exponentBits) - 1;
        double sign = code >= 0x80 ? -1 : 1, fraction = mantissa / (double)(1 << mantissaBits);
        if (exponent == top && hasInfinities) return mantissa == 0 ? sign * double.PositiveInfinity : double.NaN;
        if (exponent == top && mantissa == (1 << mantissaBits) - 1) return double.NaN;
        return exponent == 0 ? sign * fraction * Math.Pow(2, 1 - bias) : sign * (1 + fraction) * Math.Pow(2, exponent - bias);
    }
}

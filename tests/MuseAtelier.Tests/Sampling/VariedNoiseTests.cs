using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>Variation seeds against AUTOMATIC1111's formula.</summary>
public sealed class VariedNoiseTests
{
    private const int Height = 32, Width = 40, Length = 4 * Height * Width;

    private static readonly PictureRequest Request =
        new() { Prompt = "", Height = 8 * Height, Width = 8 * Width, Seed = 11, VariationSeed = 12 };

    public static TheoryData<string> Sources => [.. NoiseSource.BuiltIn.Select(source => source.Id)];

    [Theory]
    [MemberData(nameof(Sources))]
    public void Start_OfStrength0And1_IsThatOfOneSeed(string source)
    {
        PictureRequest request = Request with { NoiseSource = new NoiseSource(source) };
        Assert.Equal(Start(request), Start(request with { VariationSeed = 99 }));
        Assert.Equal(Start(request with { Seed = 12 }), Start(request with { VariationStrength = 1 }));
        Assert.NotEqual(Start(request), Start(request with { VariationStrength = 0.1f }));
    }

    [Theory]
    [InlineData(0.25f)]
    [InlineData(0.7f)]
    public void Start_OfAnotherStrength_IsASlerpInEveryColumn(float strength)
    {
        float[] low = Start(Request), high = Start(Request with { Seed = 12 });
        float[] mixed = Start(Request with { VariationStrength = strength });
        for (int channel = 0; channel < 4; channel++)
        {
            for (int column = 0; column < Width; column++)
            {
                int[] places = [.. Enumerable.Range(0, Height).Select(row => (channel * Height + row) * Width + column)];
                double lowNorm = Math.Sqrt(places.Sum(i => (double)low[i] * low[i]));
                double highNorm = Math.Sqrt(places.Sum(i => (double)high[i] * high[i]));
                double omega = Math.Acos(places.Sum(i => low[i] / lowNorm * (high[i] / highNorm)));
                double ofLow = Math.Sin((1 - strength) * omega) / Math.Sin(omega), ofHigh = Math.Sin(strength * omega) / Math.Sin(omega);
                Assert.All(places, i => Assert.Equal(ofLow * low[i] + ofHigh * high[i], mixed[i], 1e-6));
            }
        }
    }

    [Fact]
    public void Start_OfTheSameSeedTwice_IsThatSeeds()
    {
        float[] plain = Start(Request), mixed = Start(Request with { VariationSeed = 11, VariationStrength = 0.4f });
        Assert.All(plain, (value, i) => Assert.Equal(value, mixed[i], 1e-6));
    }

    [Fact]
    public void Steps_OfAVariation_AreThoseOfTheSeed()
    {
        PictureNoise plain = NoiseSourceCatalog.BuiltIn.Create(Request);
        PictureNoise varied = NoiseSourceCatalog.BuiltIn.Create(Request with { VariationStrength = 0.5f });
        float[] expected = new float[Length], drawn = new float[Length];
        plain.Start.Fill(expected);
        varied.Start.Fill(drawn);
        plain.Steps.Fill(expected);
        varied.Steps.Fill(drawn);
        Assert.Equal(expected, drawn);
        Assert.Equal(11UL, varied.Brownian!.Entropy);
    }

    [Fact]
    public void InSeries_OfAVariation_CountsTheVariationUp()
    {
        PictureRequest varied = Request with { VariationStrength = 0.5f, VariationSeed = ulong.MaxValue };
        Assert.Equal((11UL, 1UL), (varied.InSeries(2).Seed, varied.InSeries(2).VariationSeed));
        Assert.Equal((13UL, 12UL), (Request.InSeries(2).Seed, Request.InSeries(2).VariationSeed));
    }

    private static float[] Start(PictureRequest request)
    {
        float[] drawn = new float[Length];
        NoiseSourceCatalog.BuiltIn.Create(request).Start.Fill(drawn);
        return drawn;
    }
}

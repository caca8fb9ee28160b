using System.Text.Json;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

public sealed class PhiloxNoiseTests
{
    [Fact]
    public void Fill_OfEveryCudaDraw_AgreesWithin1e6()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(GoldenFiles.Folder, "cuda_rng.json")));
        double worst = 0;
        foreach (JsonElement draw in file.RootElement.GetProperty("draws").EnumerateArray())
        {
            float[] drawn =
                new float[draw.GetProperty("shape").EnumerateArray().Aggregate(1, (product, size) => product * size.GetInt32())];
            var noise = new PhiloxNoise(draw.GetProperty("seed").GetUInt64());
            noise.Fill(drawn);
            Compare(draw.GetProperty("first"), drawn);
            JsonElement last = draw.GetProperty("last");
            Compare(last, drawn.AsSpan(drawn.Length - last.GetArrayLength()));
            noise.Fill(drawn);
            Compare(draw.GetProperty("second_first"), drawn);
        }

        Assert.InRange(worst, double.Epsilon, 1e-6); // 0 would mean that nothing was compared

        void Compare(JsonElement expected, ReadOnlySpan<float> drawn)
        {
            int i = 0;
            foreach (JsonElement value in expected.EnumerateArray())
                worst = Math.Max(worst, Math.Abs(value.GetSingle() - drawn[i++]));
        }
    }

    [Fact]
    public void Fill_WithSeed0_GivesAutomatic1111sNumbers()
    {
        float[] drawn = new float[6];
        new PhiloxNoise(0).Fill(drawn);
        double[] printed = [-0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564];
        Assert.All(printed, (value, i) => Assert.Equal(value, drawn[i], 5e-8 * Math.Max(1, Math.Abs(value))));
    }

    [Fact]
    public void Create_ForA1111_GoesOnInOneStream()
    {
        PictureNoise streams = NoiseSourceCatalog.BuiltIn.Create(NoiseSource.A1111, 5);
        Assert.Equal(Draw(streams.Start, 16), Draw(new PhiloxNoise(5), 16));
        Assert.NotEqual(Draw(streams.Steps, 16), Draw(new PhiloxNoise(5), 16));
    }

    [Fact]
    public void Create_ForComfy_StartsTheStepsAnew()
    {
        PictureNoise streams = NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Comfy, 5);
        Assert.Equal(Draw(new TorchCpuNoise(5), 16), Draw(streams.Start, 16));
        Assert.Equal(Draw(new PhiloxNoise(5), 16), Draw(streams.Steps, 16));
    }

    [Fact]
    public void Fill_OfMillions_HasTheBitsOfTheDefinition()
    {
        const int count = (1 << 20) + 3;
        float[] expected = new float[count], drawn = new float[count];
        foreach (ulong seed in (ulong[])[0, 7, 0x9E3779B97F4A7C15, ulong.MaxValue])
        {
            PhiloxNoise.FillScalar(seed, 5, 0, expected);
            PhiloxNoise.Fill(seed, 5, drawn);
            Assert.True(expected.AsSpan().SequenceEqual(drawn));
        }
    }

    [Fact]
    public void Fill_WithSeedsThatShareTheLowHalf_Differs() =>
        Assert.NotEqual(Draw(new PhiloxNoise(1), 8), Draw(new PhiloxNoise(1 + (1UL << 32)), 8));

    private static float[] Draw(INoiseGenerator source, int count)
    {
        float[] drawn = new float[count];
        source.Fill(drawn);
        return drawn;
    }
}

using MuseAtelier.Sampling;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Requests whose members are chosen at random, the same ones in every run, so that each value meets many others.</summary>
internal static class RandomRequests
{
    /// <summary>Makes requests that can be painted.</summary>
    /// <param name="seed">The seed of the choice.</param>
    /// <param name="count">Their number.</param>
    public static IEnumerable<PictureRequest> Of(int seed, int count)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++) yield return One(random);
    }

    private static PictureRequest One(Random random)
    {
        int steps = random.Next(1, 30);
        bool isVaried = Flag(random);
        float from = Share(random);
        return new PictureRequest
        {
            Prompt = "a heron in the reeds, café 夜\nsecond line",
            NegativePrompt = Flag(random) ? "" : "fog",
            PromptSyntax = Any<PromptSyntax>(random),
            Emphasis = Any<PromptEmphasis>(random),
            CommaBacktrack = random.Next(76),
            ClipSkip = random.Next(1, 13),
            EmptyNegative = Any<EmptyNegative>(random),
            Seed = (ulong)random.NextInt64(),
            NoiseSource = Any(random, NoiseSourceCatalog.BuiltIn.Names),
            VariationSeed = isVaried ? (ulong)random.NextInt64() : 0,
            VariationStrength = isVaried ? 1 - Share(random) : 0,
            Width = 8 * random.Next(32, 257),
            Height = 8 * random.Next(32, 257),
            Sampler = Any(random, SamplerCatalog.BuiltIn.Names),
            Steps = steps,
            Eta = Flag(random) ? null : Share(random),
            Dialect = Any<SamplingDialect>(random),
            Prediction = Any<ModelPrediction>(random),
            GuidanceScale = 1 + 20 * Share(random),
            GuidanceRescale = Flag(random) ? 0 : Share(random),
            GuidanceFrom = Flag(random) ? 0 : from,
            GuidanceTo = Flag(random) ? 1 : Math.Max(from, Share(random)),
            Schedule = new NoiseSchedule
            {
                Spacing = Any<TimestepSpacing>(random),
                Karras = Flag(random),
                Timesteps = Flag(random) ? null : new TimestepList([.. Enumerable.Range(0, steps).Select(step => 999 - 31 * step)]),
            },
            Conditioning = Flag(random) ? null : new MicroConditioning(random.Next(4096), 2, 3, random.Next(9), 5, random.Next(4096)),
            Frame = Flag(random) ? null : new PictureFrame(Any<FrameStyle>(random), Any<FramePlacement>(random)),
        };
    }

    private static bool Flag(Random random) => random.Next(2) == 0;

    private static float Share(Random random) => random.NextSingle();

    private static T Any<T>(Random random, IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    private static T Any<T>(Random random) where T : struct, Enum => Any(random, Enum.GetValues<T>());
}

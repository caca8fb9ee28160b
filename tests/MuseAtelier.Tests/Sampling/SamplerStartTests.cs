using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>Samplers that begin in the middle of a schedule, as from an existing picture.</summary>
public sealed class SamplerStartTests
{
    public static TheoryData<string, SamplingDialect> Samplers
    {
        get
        {
            var samplers = new TheoryData<string, SamplingDialect>();
            foreach (SamplerName name in SamplerCatalog.BuiltIn.Names)
                foreach (SamplingDialect dialect in Enum.GetValues<SamplingDialect>()) samplers.Add(name.Id, dialect);
            return samplers;
        }
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Advance_FromTheMiddle_IsThatOfTheRestOfTheScheduleAlone(string name, SamplingDialect dialect)
    {
        var request = new PictureRequest { Prompt = "", Sampler = new SamplerName(name), Dialect = dialect };
        var whole = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule { Spacing = TimestepSpacing.Linspace }, 9);
        for (int first = 0; first < 9; first++)
        {
            SigmaSchedule rest = SigmaSchedule.FromSigmas(whole.Sigmas[first..]);
            Sampler begun = SamplerCatalog.BuiltIn.Create(request, SigmaSchedule.FromSigmas(whole.Sigmas));
            begun.BeginAt(begun.Evaluations.ToArray().First(evaluation => evaluation.Step == first).Index);
            float[] start = [.. MadeUpModel.Draw(3, 32).Select(value => value * rest.Sigmas[0])];
            float[] noise = MadeUpModel.Draw(4, 32 * 2 * 9);
            float[] expected = MadeUpModel.Run(SamplerCatalog.BuiltIn.Create(request, rest), start, noise);
            Assert.Equal(expected, MadeUpModel.Run(begun, start, noise));
            Assert.All(expected, value => Assert.True(float.IsFinite(value)));
        }
    }

    [Fact]
    public void BeginAt_WithinAStepOrOutOfRange_Refuses()
    {
        var sampler = new HeunSampler(new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), 3));
        sampler.BeginAt(2);
        Assert.Equal(2, sampler.FirstEvaluation);
        foreach (int evaluation in (int[])[-1, 1, 3, 5])
            Assert.Throws<ArgumentOutOfRangeException>(() => sampler.BeginAt(evaluation));
    }

    [Fact]
    public void Loop_FromAnExistingPicture_TellsTheSampler()
    {
        PictureRequest request = new() { Prompt = "", Sampler = SamplerName.UniPc, Steps = 6, GuidanceScale = 1 };
        SamplingRecipe recipe = SamplingRecipe.Of(request, Trained.Epsilon, SamplerCatalog.BuiltIn, span: new StepSpan(6, 3));
        var inputs = new DenoisingInputs(InitialLatents.Encoded(MadeUpModel.Draw(1, 32)));
        PictureNoise noise = NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Diffusers, 1);
        using var loop = new DenoisingLoop(
            recipe, [noise], BatchSlot.Alone, new FakeDenoiser(recipe, 1, 32), inputs, null, HostBuffers.Allocate);
        Assert.Equal(3, recipe.Sampler.FirstEvaluation);
    }
}

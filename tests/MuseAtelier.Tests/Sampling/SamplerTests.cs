using System.Text.Json;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

public sealed class SamplerTests
{
    [Fact]
    public void Advance_OfDpmpp2MAfterEqualSigmas_StaysFinite()
    {
        // The first two steps of this schedule have the same sigma, so the second one has no slope to continue.
        var sampler = new Dpmpp2MSampler(new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), 1000));
        float[] latents = [1, -2, 3], denoised = [0.5f, 1, -1], history = new float[3], before = [.. latents];
        sampler.Advance(sampler.Evaluations[0], new SamplerState(latents, denoised, latents, default, history));
        Assert.Equal(before, latents);
        for (int i = 1; i < 1000; i++)
            sampler.Advance(sampler.Evaluations[i], new SamplerState(latents, denoised, latents, default, history));
        Assert.Equal(denoised, latents);
    }

    [Fact]
    public void Create_OfEverySamplerWithAnySteps_StaysFinite()
    {
        Assert.Equal(SamplerCatalog.BuiltIn.Names, SamplerName.BuiltIn);
        foreach (SamplerName name in SamplerName.BuiltIn)
        {
            // The first two of 1000 steps have equal sigmas.
            int most = name.EvaluatesTwice ? 500 : 1000;
            var request = new PictureRequest
            {
                Prompt = "",
                Sampler = name,
                Steps = most,
                Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Leading },
            };
            var exception = Assert.Throws<StepCountException>(() => RequestRules.Check(request with { Steps = most + 1 }));
            Assert.Contains($"1 to {most}", exception.Message, StringComparison.Ordinal);
            foreach (SamplingDialect dialect in Enum.GetValues<SamplingDialect>())
                foreach (int steps in (int[])[1, 2, 3, most]) AssertFinite(request with { Steps = steps, Dialect = dialect });
        }
    }

    [Fact]
    public void Create_OfEverySamplerWithEqualSigmas_StaysFinite()
    {
        SigmaSchedule schedule = SigmaSchedule.FromSigmas([10, 10, 10, 3, 3, 1, 1, 1, 1, 0.1f, 0.1f, 0]);
        foreach (SamplerName name in SamplerName.BuiltIn)
        {
            foreach (SamplingDialect dialect in Enum.GetValues<SamplingDialect>())
            {
                var request = new PictureRequest { Prompt = "", Sampler = name, Dialect = dialect };
                AssertFinite(name, SamplerCatalog.BuiltIn.Create(request, schedule));
            }
        }
    }

    [Theory]
    [InlineData("dpm_2", true)]
    [InlineData("dpm_2_ancestral", true)]
    [InlineData("heun", false)]
    public void Of_ASamplerThatDiscardsASigma_LeavesOutTheLastAboveZeroOfOneStepMore(string sampler, bool discards)
    {
        foreach (int steps in (int[])[1, 2, 10, 500])
        {
            var request = new PictureRequest { Prompt = "", Sampler = new SamplerName(sampler), Steps = steps };
            SigmaSchedule schedule = SamplingRecipe.Of(request, Trained.Epsilon, SamplerCatalog.BuiltIn).Schedule;
            var whole = new SigmaSchedule(Trained.Epsilon, request.Schedule, discards ? steps + 1 : steps);
            Assert.Equal([.. whole.Sigmas[..steps], 0], schedule.Sigmas);
            Assert.Equal(whole.Timesteps[..steps], schedule.Timesteps);
            Assert.Equal(whole.InitialNoiseScale, schedule.InitialNoiseScale);
        }
    }

    [Fact]
    public void Constructor_OfEvaluationsOutOfRange_Refuses()
    {
        var good = new Evaluation(0, 0, 1, 100);
        _ = new FreeSampler([good, good with { Index = 1, Step = 1 }], 8);
        Assert.Throws<ArgumentException>(() => new FreeSampler([], 0));
        Evaluation[] many = [.. Enumerable.Range(0, Sampler.MostEvaluations + 1).Select(i => good with { Index = i })];
        _ = new FreeSampler(many[..^1], 0);
        Assert.Throws<ArgumentException>(() => new FreeSampler(many, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FreeSampler([good], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FreeSampler([good], Sampler.MostHistory + 1));
        Evaluation[] bad =
        [
            good with { Index = 1 },
            good with { Step = 2 },
            good with { Step = -1 },
            good with { Sigma = 0 },
            good with { Sigma = float.NaN },
            good with { Sigma = float.PositiveInfinity },
            good with { Timestep = -26.1f },
            good with { Timestep = 1000.1f },
            good with { Timestep = float.NaN },
            good with { NoiseDraws = -1 },
            good with { NoiseDraws = Sampler.MostNoiseDraws + 1 },
        ];
        Assert.All(bad, evaluation => Assert.Throws<ArgumentException>(() => new FreeSampler([evaluation], 0)));
    }

    [Fact]
    public void SamplerState_OfBuffersOfAnotherLength_Refuses()
    {
        float[] three = new float[3], two = new float[2];
        Assert.Throws<ArgumentException>(() => Make(three, two, three, [], []));
        Assert.Throws<ArgumentException>(() => Make(three, three, two, [], []));
        Assert.Throws<ArgumentException>(() => Make(three, three, three, two, []));
        Assert.Throws<ArgumentException>(() => Make(three, three, three, [], two));
        Make(three, three, three, new float[6], new float[9]);

        static void Make(float[] latents, float[] denoised, float[] epsilon, float[] noise, float[] history) =>
            _ = new SamplerState(latents, denoised, epsilon, noise, history);
    }

    [Theory]
    [InlineData("euler_a", "Euler a")]
    [InlineData("euler", "Euler")]
    [InlineData("dpmpp_2m", "DPM++ 2M")]
    [InlineData("heun", "Heun")]
    [InlineData("dpm_2", "DPM2")]
    [InlineData("dpm_2_ancestral", "DPM2 a")]
    [InlineData("lms", "LMS")]
    [InlineData("dpmpp_2s_ancestral", "DPM++ 2S a")]
    [InlineData("ddim", "DDIM")]
    [InlineData("dpmpp_2m_sde", "DPM++ 2M SDE")]
    [InlineData("dpmpp_2m_sde_heun", "DPM++ 2M SDE Heun")]
    [InlineData("dpmpp_3m_sde", "DPM++ 3M SDE")]
    [InlineData("dpmpp_sde", "DPM++ SDE")]
    [InlineData("uni_pc", "UniPC")]
    [InlineData("uni_pc_bh2", "UniPC BH2")]
    [InlineData("lcm", "LCM")]
    [InlineData("tcd", "TCD")]
    [InlineData("ddpm", "DDPM")]
    public void Catalog_OfEveryName_KnowsItByIdAndByAutomatic1111sName(string id, string name)
    {
        Assert.Equal(id, SamplerCatalog.BuiltIn.Find(name.ToUpperInvariant())!.Value.Id);
        Assert.Equal(id, SamplerCatalog.BuiltIn.Find($" {id} ")!.Value.Id);
        Assert.Equal(name, SamplerCatalog.BuiltIn.DisplayName(new SamplerName(id)));
        Assert.True(SamplerCatalog.BuiltIn.Contains(new SamplerName(id.ToUpperInvariant())));
        Assert.Null(SamplerCatalog.BuiltIn.Find("abacus"));
        Assert.Equal("abacus", SamplerCatalog.BuiltIn.DisplayName(new SamplerName("abacus")));
    }

    [Theory]
    [InlineData("euler_a", "euler_ancestral", "k_euler_a", "sample_euler_ancestral", "EulerAncestralDiscreteScheduler", "Euler A")]
    [InlineData("euler", "k_euler", "EulerDiscreteScheduler", "sample_k_euler")]
    [InlineData("dpmpp_2m", "dpm++2m", "k_dpmpp_2m", "DPMSolverMultistepScheduler", "dpmpp-2m", "DPM2M")]
    [InlineData("heun", "HeunDiscreteScheduler")]
    [InlineData("dpm_2", "KDPM2DiscreteScheduler", "k_dpm_2")]
    [InlineData("dpm_2_ancestral", "KDPM2AncestralDiscreteScheduler", "dpm2_a")]
    [InlineData("lms", "LMSDiscreteScheduler", "k_lms")]
    [InlineData("dpmpp_2s_ancestral", "k_dpmpp_2s_a", "DPM++ 2S Ancestral")]
    [InlineData("ddim", "DDIMScheduler")]
    [InlineData("dpmpp_2m_sde", "dpmpp_2m_sde_gpu", "k_dpmpp_2m_sde")]
    [InlineData("dpmpp_2m_sde_heun", "dpmpp_2m_sde_heun_gpu")]
    [InlineData("dpmpp_3m_sde", "dpmpp_3m_sde_gpu")]
    [InlineData("dpmpp_sde", "dpmpp_sde_gpu", "DPMSolverSDEScheduler", "dpm++_sde")]
    [InlineData("uni_pc", "UniPC", "unipc")]
    [InlineData("uni_pc_bh2", "UniPCMultistepScheduler")]
    [InlineData("lcm", "LCMScheduler", "k_lcm")]
    [InlineData("tcd", "TCDScheduler")]
    [InlineData("ddpm", "DDPMScheduler")]
    public void Find_OfAnotherProgramsName_KnowsIt(string id, params string[] names) =>
        Assert.All(names, name => Assert.Equal(id, SamplerCatalog.BuiltIn.Find(name)?.Id));

    [Theory]
    [InlineData("")]
    [InlineData("k")]
    [InlineData("sample_k")]
    [InlineData("scheduler")]
    [InlineData("DPM++")]
    [InlineData("euler_cfg_pp")]
    [InlineData("dpm_fast")]
    [InlineData("heunpp2")]
    public void Find_OfAnUnknownName_IsNull(string name)
    {
        Assert.Null(SamplerCatalog.BuiltIn.Find(name));
        Assert.Null(SamplerCatalog.BuiltIn.Find(new string('k', 100_000)));
    }

    [Fact]
    public void Nearest_OfAMisspeltName_GivesIdsOnce()
    {
        Assert.Equal("dpmpp_2m", SamplerCatalog.BuiltIn.Nearest("DPM++ 2N")[0]);
        Assert.Equal(["ddim"], SamplerCatalog.BuiltIn.Nearest("DDIMM"));
        Assert.Empty(SamplerCatalog.BuiltIn.Nearest("abacus"));
    }

    [Fact]
    public void Names_ByDefault_AreEulerAncestralAndDiffusers()
    {
        Assert.Equal(default, SamplerName.EulerAncestral);
        Assert.Equal(default, NoiseSource.Diffusers);
        Assert.Equal(SamplerName.EulerAncestral, SamplerCatalog.BuiltIn.Names[0]);
        Assert.Equal(NoiseSource.Diffusers, NoiseSourceCatalog.BuiltIn.Names[0]);
        Assert.Equal(SamplerName.EulerAncestral, new PictureRequest { Prompt = "" }.Sampler);
        Assert.Equal(new NoiseSource("comfy").GetHashCode(), NoiseSource.Comfy.GetHashCode());
    }

    [Fact]
    public void Names_InJson_AreStrings()
    {
        Assert.Equal("\"dpmpp_2m\"", JsonSerializer.Serialize(SamplerName.Dpmpp2M));
        Assert.Equal("\"Comfy\"", JsonSerializer.Serialize(NoiseSource.Comfy));
        Assert.Equal(SamplerName.Euler, JsonSerializer.Deserialize<SamplerName>("\"EULER\""));
        Assert.Equal(("euler", "Comfy"), (new SamplerName("EULER").Id, new NoiseSource("comfy").Id));
        Assert.Equal("dice", JsonSerializer.Deserialize<NoiseSource>("\"dice\"").Id);
        foreach (string json in (string[])["1", "null", "\"\"", "\"a b\"", "\"a\\u0000\"", $"\"{new string('a', 65)}\""])
        {
            Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<SamplerName>(json));
            Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<NoiseSource>(json));
        }

        Assert.Throws<ArgumentException>(() => new SamplerName("a b"));
        Assert.Throws<ArgumentException>(() => new NoiseSource(""));
    }

    [Fact]
    public void Check_OfAnUnknownName_ListsTheNamesThatThereAre()
    {
        var request = new PictureRequest { Prompt = "", Sampler = new SamplerName("abacus") };
        var exception = Assert.Throws<RequestChoiceException>(() => RequestRules.Check(request));
        Assert.Equal("Sampler", exception.Name);
        Assert.Equal(SamplerCatalog.BuiltIn.Names.Select(name => name.Id), exception.Choices);
        Assert.Contains("Sampler is abacus", exception.Message, StringComparison.Ordinal);
        Assert.Contains("euler_a, euler, dpmpp_2m", exception.Message, StringComparison.Ordinal);
        request = new PictureRequest { Prompt = "", NoiseSource = new NoiseSource("dice") };
        exception = Assert.Throws<RequestChoiceException>(() => RequestRules.Check(request));
        Assert.Equal(["Diffusers", "A1111", "Comfy", "A1111-CPU", "Comfy-GPU"], exception.Choices);
    }

    private static void AssertFinite(PictureRequest request)
    {
        RequestRules.Check(request);
        AssertFinite(request.Sampler, SamplingRecipe.Of(request, Trained.Epsilon, SamplerCatalog.BuiltIn).Sampler);
    }

    private static void AssertFinite(SamplerName name, Sampler sampler)
    {
        float[] latents = [1, -2, 3], denoised = [0.5f, 1, -1], epsilon = [0.3f, -1, 1], noise = [0, 1, -1];
        float[] history = new float[3 * sampler.History];
        history.AsSpan().Fill(float.NaN);
        foreach (Evaluation evaluation in sampler.Evaluations)
            sampler.Advance(evaluation, new SamplerState(latents, denoised, epsilon, noise, history));
        Assert.All(latents, value => Assert.True(float.IsFinite(value), name.Id));
    }

    private sealed class FreeSampler(IReadOnlyList<Evaluation> evaluations, int history) : Sampler(evaluations, history)
    {
        public override void Advance(in Evaluation evaluation, SamplerState state)
        {
            // Only its constructor is tested.
        }
    }
}

using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

public sealed class FewStepPresetTests(NarrowAtelier test)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("lightning-4", "euler", 4, 0f, TimestepSpacing.Trailing, null, null)]
    [InlineData("Hyper-8", "ddim", 8, 0f, TimestepSpacing.Trailing, null, null)]
    [InlineData("hyper-12-cfg", "ddim", 12, 5f, TimestepSpacing.Trailing, null, null)]
    [InlineData("hyper-1", "lcm", 1, 0f, TimestepSpacing.Trailing, null, "800")]
    [InlineData("hyper-1-lora", "tcd", 1, 0f, TimestepSpacing.Lcm, 1f, null)]
    [InlineData("dmd2-1", "lcm", 1, 0f, TimestepSpacing.Trailing, null, "399")]
    [InlineData("dmd2-4", "lcm", 4, 0f, TimestepSpacing.Trailing, null, "999,749,499,249")]
    [InlineData("lcm-8", "lcm", 8, 1f, TimestepSpacing.Lcm, null, null)]
    [InlineData("tcd-4", "tcd", 4, 0f, TimestepSpacing.Lcm, 0.3f, null)]
    [InlineData("turbo-1", "euler_a", 1, 0f, TimestepSpacing.Trailing, null, null)]
    public void Find_OfAName_GivesTheSettingsOfItsTraining(
        string name, string sampler, int steps, float guidance, TimestepSpacing spacing, float? eta, string? timesteps)
    {
        PictureRequest request = FewStepPreset.Find(name)!.ApplyTo(TestAtelier.Small with { Eta = 0.5f, Seed = 3 });
        Assert.Equal(new SamplerName(sampler), request.Sampler);
        Assert.Equal((steps, guidance, eta), (request.Steps, request.GuidanceScale, request.Eta));
        Assert.Equal((spacing, false), (request.Schedule.Spacing, request.Schedule.Karras));
        Assert.Equal(timesteps, request.Schedule.Timesteps?.ToString());
        Assert.Equal((TestAtelier.Small.Prompt, 3UL), (request.Prompt, request.Seed));
        Assert.False(request.IsGuided && guidance <= 1);
    }

    [Fact]
    public void All_OfThePresets_AreLegalAndNamedAfterTheirFamilyAndSteps()
    {
        Assert.Equal(FewStepPreset.All.Count, FewStepPreset.All.Select(preset => preset.Name).Distinct().Count());
        Assert.All(FewStepPreset.All, preset =>
        {
            Assert.StartsWith(FormattableString.Invariant($"{preset.Family}-{preset.Steps}"), preset.Name, StringComparison.Ordinal);
            PictureRequest request = preset.ApplyTo(TestAtelier.Small);
            Assert.Equal(preset.Name == "lightning-1" ? ModelPrediction.Sample : ModelPrediction.Automatic, request.Prediction);
            Assert.Equal(preset.Steps, request.Schedule.Timesteps?.Count ?? preset.Steps);
            if (SamplerName.BuiltIn.Contains(preset.Sampler)) PictureRequestException.ThrowIfUnpaintable(request);
        });
        Assert.Null(FewStepPreset.Find("lightning-3"));
    }

    [Theory]
    [InlineData("lightning-4", "sdxl_lightning_4step", null, null)]
    [InlineData("lightning-4", "model", "SDXL Lightning, 4 steps", null)]
    [InlineData("lightning-4", "dreamshaperXL_lightningDPMSDE", null, null)]
    [InlineData("lightning-4", "sdxl_lightning_8step_unet", null, "names 8")]
    [InlineData("hyper-8-cfg", "Hyper-SDXL-8steps-CFG", null, null)]
    [InlineData("hyper-4", "Hyper-SDXL-12-steps", null, "names 12")]
    [InlineData("dmd2-4", "sd_xl_base_1.0", "Stable Diffusion XL", "family dmd2")]
    [InlineData("turbo-1", "stepstone turbo", null, null)]
    public void MisfitOf_AModel_ComparesFamilyAndSteps(string preset, string model, string? title, string? part)
    {
        string? misfit = FewStepPreset.Find(preset)!.MisfitOf(model, title);
        if (part is null) Assert.Null(misfit);
        else Assert.Contains(part, misfit, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lightning-4")]
    [InlineData("hyper-2")]
    [InlineData("turbo-1")]
    public async Task GenerateAsync_WithAPreset_PaintsItsStepsWithOneRow(string name)
    {
        FewStepPreset preset = FewStepPreset.Find(name)!;
        PictureRequest request = preset.ApplyTo(TestAtelier.Small);
        Picture without = await test.Atelier.GenerateAsync(request, cancellationToken: Cancellation);
        Picture withOne = await test.Atelier.GenerateAsync(request with { GuidanceScale = 1 }, cancellationToken: Cancellation);
        Assert.Equal(preset.Steps, without.Timings.Steps.Count);
        Assert.Equal(withOne.Pixels.ToArray(), without.Pixels.ToArray());
        Assert.Equal(withOne.Provenance.StepHashes, without.Provenance.StepHashes);
    }
}

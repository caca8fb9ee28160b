using System.Reflection;
using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pipeline;

public sealed class PipelineRecipeTests
{
    private static readonly string[] Painting =
        [ComponentNames.ClipL, ComponentNames.ClipG, ComponentNames.CrossAttention, ComponentNames.TimeEmbedding, ComponentNames.UNet];

    [Fact]
    public void Components_OfTheRecipe_AreThoseOfTheFormatEachOnce()
    {
        IEnumerable<string> format = typeof(ComponentNames).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (string)field.GetRawConstantValue()!);
        Assert.Equal(format.Order(), PipelineRecipe.Components.Select(component => component.Name).Order());
    }

    [Theory]
    [InlineData(Lowering.Cuda)]
    [InlineData(Lowering.Portable)]
    public void Components_OfAModel_AreAllInTheRecipe(Lowering lowering)
    {
        ModelSizes model = lowering == Lowering.Cuda ? FullSizeModel.Cuda : FullSizeModel.Portable;
        Assert.NotEmpty(model.Components);
        Assert.All(model.Components, component => Assert.Equal(component.Name, PipelineRecipe.Of(component.Name).Name));
        Assert.Equal(lowering == Lowering.Cuda, PipelineRecipe.HasFp32Decoder(model.Components));
    }

    [Fact]
    public void Of_AnUnknownComponent_IsRefused() =>
        Assert.Contains("refiner", Assert.Throws<ArgumentException>(() => PipelineRecipe.Of("refiner")).Message, StringComparison.Ordinal);

    [Fact]
    public void Components_InTheirOrder_FollowThePhases()
    {
        PlanPhase[] phases = [.. PipelineRecipe.Components.Select(component => component.Phase).OfType<PlanPhase>()];
        Assert.Equal(phases.Order(), phases);
        Assert.Equal(Enum.GetValues<PlanPhase>(), phases.Distinct());
        Assert.Equal(Painting[..4], PipelineRecipe.BeforeSteps.Select(component => component.Name));
        Assert.Equal(ComponentNames.UNet, PipelineRecipe.EveryStep.Name);
    }

    [Fact]
    public void Frequencies_OfThePhases_AreThoseOfThePipeline() =>
        Assert.All(PipelineRecipe.Components, component => Assert.Equal(
            component.Phase switch
            {
                PlanPhase.Text => RunFrequency.PerPrompt,
                PlanPhase.Conditioning => RunFrequency.PerBatch,
                PlanPhase.Denoising => RunFrequency.PerEvaluation,
                _ => RunFrequency.PerPicture,
            },
            component.Frequency));

    [Theory]
    [InlineData(false, false, ComponentNames.VaeDecoder, ComponentNames.PostProcessing)]
    [InlineData(false, true, ComponentNames.VaeDecoder, ComponentNames.Framing)]
    [InlineData(true, false, ComponentNames.VaeDecoderFp32, ComponentNames.PostProcessing)]
    [InlineData(true, true, ComponentNames.VaeDecoderFp32, ComponentNames.Framing)]
    public void For_APicture_GivesItsComponentsInOrder(bool inFp32, bool hasFrame, string decoder, string postProcessor)
    {
        IEnumerable<string> names = PipelineRecipe.For(inFp32, hasFrame).Select(component => component.Name);
        Assert.Equal([.. Painting, decoder, postProcessor], names);
        Assert.Equal((decoder, postProcessor), (PipelineRecipe.Decoder(inFp32), PipelineRecipe.PostProcessor(hasFrame)));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Plan_OfAPicture_NamesTheComponentsOfTheRecipe(bool hasFrame, bool encodes)
    {
        var request = new ResidencyRequest
        {
            Frame = hasFrame ? new PictureFrame(FrameStyle.Gilded) : null,
            DecodesInFp32 = true,
            EncodesSource = encodes,
        };
        ResidencyPlan plan = ResidencyPlanner.Plan(FullSizeModel.Cuda, request, DeviceProfile.Hopper);
        Assert.Equal(encodes, plan.Components.Any(component => component.Name == ComponentNames.VaeEncoder));
        Assert.Equal(
            PipelineRecipe.For(inFp32: true, hasFrame, encodes).Select(component => component.Name),
            plan.Components.Select(component => component.Name));
    }

    [Fact]
    public void StreamedBeforeSteps_EndsWithAllAndNamesNoOthers()
    {
        IEnumerable<string> before = PipelineRecipe.BeforeSteps.Select(component => component.Name);
        Assert.Empty(PipelineRecipe.StreamedBeforeSteps[0]);
        Assert.Equal(before, PipelineRecipe.StreamedBeforeSteps[^1]);
        Assert.All(PipelineRecipe.StreamedBeforeSteps, set => Assert.Subset(before.ToHashSet(), set.ToHashSet()));
    }

    [Fact]
    public void ShapeFor_ABatch_DependsOnTheFrequencyAlone()
    {
        var latents = new PictureShape(4, 128, 96, 1);
        Assert.Equal(new PictureShape(1, 0, 0, 0), PipelineRecipe.Of(ComponentNames.ClipG).ShapeFor(latents, 30));
        Assert.Equal(latents, PipelineRecipe.Of(ComponentNames.CrossAttention).ShapeFor(latents, 30));
        Assert.Equal(latents with { Steps = 30 }, PipelineRecipe.Of(ComponentNames.TimeEmbedding).ShapeFor(latents, 30));
        Assert.Equal(latents, PipelineRecipe.EveryStep.ShapeFor(latents, 30));
        Assert.Throws<InvalidOperationException>(() => PipelineRecipe.Of(ComponentNames.VaeDecoder).ShapeFor(latents, 30));
    }
}

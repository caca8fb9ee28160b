using System.Collections.Frozen;
using MuseAtelier.Format;

namespace MuseAtelier.Recipe;

/// <summary>
/// The making of a picture as data: every component of a model, in the order in which components run. The planner, the explanation of a
/// plan, the sessions and the engine read it. A new component is one entry here, and a class that runs it.
/// </summary>
internal static class PipelineRecipe
{
    /// <summary>Every component that a package may hold, in the order in which they run.</summary>
    public static IReadOnlyList<PipelineComponent> Components { get; } =
    [
        new(
            ComponentNames.ClipL, "CLIP-L", PlanPhase.Text, RunFrequency.PerPrompt,
            ComponentShape.Text, ModelPart.TextEncoders, ComponentUse.Always)
        {
            HasAttention = true,
        },
        new(
            ComponentNames.ClipG, "CLIP-G", PlanPhase.Text, RunFrequency.PerPrompt,
            ComponentShape.Text, ModelPart.TextEncoders, ComponentUse.Always)
        {
            HasAttention = true,
        },
        new(
            ComponentNames.CrossAttention, "keys and values", PlanPhase.Conditioning, RunFrequency.PerBatch,
            ComponentShape.Latents, ModelPart.UNet, ComponentUse.Always),
        new(
            ComponentNames.TimeEmbedding, "time embeddings", PlanPhase.Conditioning, RunFrequency.PerBatch,
            ComponentShape.Schedule, ModelPart.UNet, ComponentUse.Always),
        new(
            ComponentNames.VaeEncoder, "VAE encoder", PlanPhase.Encoding, RunFrequency.PerPicture,
            ComponentShape.Tile, ModelPart.Vae, ComponentUse.Encoding)
        {
            HasConvolutions = true,
        },
        new(
            ComponentNames.UNet, "denoiser", PlanPhase.Denoising, RunFrequency.PerEvaluation,
            ComponentShape.Latents, ModelPart.UNet, ComponentUse.Always)
        {
            HasConvolutions = true,
            HasAttention = true,
        },
        new(
            ComponentNames.VaeDecoder, "VAE decoder", PlanPhase.Decoding, RunFrequency.PerPicture,
            ComponentShape.Tile, ModelPart.Vae, ComponentUse.UsualDecoding)
        {
            HasConvolutions = true,
        },
        new(
            ComponentNames.VaeDecoderFp32, "VAE decoder in fp32", PlanPhase.Decoding, RunFrequency.PerPicture,
            ComponentShape.Tile, ModelPart.Fp32Vae, ComponentUse.Fp32Decoding)
        {
            HasConvolutions = true,
        },
        new(
            ComponentNames.PostProcessing, "post-processing", PlanPhase.Decoding, RunFrequency.PerPicture,
            ComponentShape.Picture, ModelPart.PostProcessing, ComponentUse.WithoutFrame),
        new(
            ComponentNames.Framing, "post-processing with a frame", PlanPhase.Decoding, RunFrequency.PerPicture,
            ComponentShape.Picture, ModelPart.PostProcessing, ComponentUse.WithFrame),
        .. Upscalers,
    ];

    private static readonly FrozenDictionary<string, PipelineComponent> ByName =
        Components.ToFrozenDictionary(component => component.Name, StringComparer.Ordinal);

    /// <summary>The components that run before the first step for prompts, in their order.</summary>
    public static IReadOnlyList<PipelineComponent> BeforeSteps { get; } = [.. Components.Where(component => component.RunsBeforeSteps)];

    /// <summary>The component that runs in every step.</summary>
    public static PipelineComponent EveryStep { get; } = Components.Single(component => component.RunsInEveryStep);

    /// <summary>
    /// The sets of components before the steps whose weights may be streamed, in the order in which a plan tries them: each set takes more
    /// from device memory than the set before it. The last set is all of them.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<string>> StreamedBeforeSteps { get; } =
    [
        [],
        [ComponentNames.ClipL],
        [ComponentNames.CrossAttention],
        [ComponentNames.ClipG],
        [ComponentNames.ClipG, ComponentNames.ClipL],
        [ComponentNames.ClipG, ComponentNames.CrossAttention],
        [.. BeforeSteps.Select(component => component.Name)],
    ];

    // Packages of their own hold them.
    private static PipelineComponent[] Upscalers =>
    [
        new(
            ComponentNames.Upscaler, "upscaler", null, RunFrequency.PerPicture,
            ComponentShape.Tile, ModelPart.Upscaler, ComponentUse.Upscaling)
        {
            HasConvolutions = true,
        },
        new(
            ComponentNames.UpscalerFp32, "upscaler in fp32", null, RunFrequency.PerPicture,
            ComponentShape.Tile, ModelPart.Fp32Upscaler, ComponentUse.Upscaling)
        {
            HasConvolutions = true,
        },
    ];

    /// <summary>A component's place in the recipe. Allocates nothing.</summary>
    /// <exception cref="ArgumentException">The recipe has no such component.</exception>
    public static PipelineComponent Of(string name) => ByName.TryGetValue(name, out PipelineComponent? component)
        ? component
        : throw new ArgumentException($"The recipe has no component '{name}'.", nameof(name));

    /// <summary>The components that a picture needs, in the order in which they run.</summary>
    /// <param name="inFp32">Whether it is decoded in fp32 although the package's VAE computes in fp16.</param>
    /// <param name="hasFrame">Whether it has a frame.</param>
    /// <param name="encodes">Whether it is painted from an existing picture.</param>
    public static IEnumerable<PipelineComponent> For(bool inFp32, bool hasFrame, bool encodes = false) =>
        Components.Where(component => component.Use switch
        {
            ComponentUse.Always => true,
            ComponentUse.UsualDecoding => !inFp32,
            ComponentUse.Fp32Decoding => inFp32,
            ComponentUse.WithoutFrame => !hasFrame,
            ComponentUse.WithFrame => hasFrame,
            ComponentUse.Encoding => encodes,
            ComponentUse.Upscaling => false,
            _ => throw new ArgumentOutOfRangeException(nameof(component), component.Use, null),
        });

    /// <summary>The name of the component that decodes.</summary>
    /// <param name="inFp32">Whether in fp32 although the package's VAE computes in fp16.</param>
    public static string Decoder(bool inFp32) => NameOf(inFp32 ? ComponentUse.Fp32Decoding : ComponentUse.UsualDecoding);

    /// <summary>The name of the component that encodes existing pictures.</summary>
    public static string Encoder => NameOf(ComponentUse.Encoding);

    /// <summary>The name of the component that turns a decoded picture into bytes.</summary>
    /// <param name="hasFrame">Whether the picture has a frame.</param>
    public static string PostProcessor(bool hasFrame) => NameOf(hasFrame ? ComponentUse.WithFrame : ComponentUse.WithoutFrame);

    /// <summary>Whether a model holds a decoder in fp32 in addition to the usual one.</summary>
    /// <param name="components">The model's components.</param>
    public static bool HasFp32Decoder(IEnumerable<ComponentSpec> components)
    {
        string name = Decoder(inFp32: true);
        return components.Any(component => component.Name == name);
    }

    private static string NameOf(ComponentUse use) => Components.Single(component => component.Use == use).Name;
}

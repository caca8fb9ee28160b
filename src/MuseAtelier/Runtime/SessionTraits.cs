using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier.Runtime;

/// <summary>The arithmetic of a session's convolutions and matrix products, on devices that have a choice.</summary>
internal enum SessionArithmetic
{
    /// <summary>fp16, summed in fp32.</summary>
    Fp16,

    /// <summary>fp32.</summary>
    Fp32,

    /// <summary>
    /// Numbers with the range of fp32 and about the precision of fp16, such as TF32. For parts that overflow in fp16, but do not need more
    /// precision.
    /// </summary>
    Fp32Range,
}

/// <summary>The properties of a session on which its options on a device depend.</summary>
/// <param name="HasOwnArena">Whether the session has an arena of its own, which can be shrunk without changing other arenas. A device may
/// have only one arena, and then ignores this.</param>
/// <param name="Arithmetic">The arithmetic of its convolutions and matrix products.</param>
internal readonly record struct SessionTraits(bool HasOwnArena, SessionArithmetic Arithmetic)
{
    /// <summary>
    /// Whether its operators include convolutions, or attention in fp16. Only these need cuDNN, whose handles take memory for each session.
    /// </summary>
    public bool UsesCudnn { get; init; } = true;

    /// <summary>Returns the traits of a component's sessions.</summary>
    public static SessionTraits Of(PackageManifest package, ComponentSpec component)
    {
        PipelineComponent entry = PipelineRecipe.Of(component.Name);
        Precision precision = entry.PrecisionIn(package.PartPrecisions);
        SessionArithmetic arithmetic = entry.Part switch
        {
            ModelPart.Fp32Vae or ModelPart.Fp32Upscaler => SessionArithmetic.Fp32Range,
            // No operator of the post-processing depends on this choice; its sessions are created like those of the UNet.
            ModelPart.PostProcessing => Of(package.PartPrecisions.UNet.Arithmetic),
            _ => Of(precision),
        };
        return new SessionTraits(entry.OwnsArena, arithmetic)
        {
            // cuDNN has kernels for attention in fp16 only.
            UsesCudnn = entry.HasConvolutions || (entry.HasAttention && precision == Precision.Fp16),
        };
    }

    /// <summary>
    /// Whether a component's working memory is an arena of its own (<see cref="PipelineComponent.OwnsArena"/>). Called in every step:
    /// allocates nothing managed.
    /// </summary>
    public static bool OwnsArena(ComponentSpec component) => PipelineRecipe.Of(component.Name).OwnsArena;

    private static SessionArithmetic Of(Precision precision) =>
        precision == Precision.Fp16 ? SessionArithmetic.Fp16 : SessionArithmetic.Fp32;
}

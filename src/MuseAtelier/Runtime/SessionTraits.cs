using MuseAtelier.Packages;
using MuseAtelier.Recipe;

namespace MuseAtelier.Runtime;

/// <summary>What a session's convolutions and matrix products are computed in, where a device has a choice.</summary>
internal enum SessionArithmetic
{
    /// <summary>fp16, summed in fp32.</summary>
    Fp16,

    /// <summary>fp32.</summary>
    Fp32,

    /// <summary>
    /// Numbers with the range of fp32 and the digits of fp16: for what overflows in fp16, and needs no more digits than it has there.
    /// </summary>
    Fp32Range,
}

/// <summary>What a session is, as far as a device's choices depend on it.</summary>
/// <param name="HasOwnArena">Whether its working memory is an arena of its own, which can be emptied without touching what others have in
/// theirs; a device may have only one.</param>
/// <param name="Arithmetic">What its convolutions and matrix products are computed in.</param>
internal readonly record struct SessionTraits(bool HasOwnArena, SessionArithmetic Arithmetic)
{
    /// <summary>
    /// Whether convolutions, or attention in fp16, are among its operators: only these need cuDNN, whose handles take memory for each
    /// session.
    /// </summary>
    public bool UsesCudnn { get; init; } = true;

    /// <summary>The traits of the sessions of a component.</summary>
    public static SessionTraits Of(PackageManifest package, ComponentSpec component)
    {
        PipelineComponent entry = PipelineRecipe.Of(component.Name);
        Precision precision = entry.PrecisionIn(package.PartPrecisions);
        SessionArithmetic arithmetic = entry.Part switch
        {
            ModelPart.Fp32Vae => SessionArithmetic.Fp32Range,
            // No operator of the post-processing depends on this choice; its sessions are created like those of the UNet.
            ModelPart.PostProcessing => Of(package.PartPrecisions.UNet),
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

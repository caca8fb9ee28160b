using MuseAtelier.Packages;

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

    /// <summary>Of the sessions of a component.</summary>
    public static SessionTraits Of(PackageManifest package, ComponentSpec component) => new(OwnsArena(component), component.Name switch
    {
        ComponentNames.VaeDecoderFp32 => SessionArithmetic.Fp32Range,
        ComponentNames.VaeDecoder or ComponentNames.VaeEncoder => Of(package.PartPrecisions.Vae),
        ComponentNames.ClipL or ComponentNames.ClipG => Of(package.PartPrecisions.TextEncoders),
        _ => Of(package.PartPrecisions.UNet),
    })
    {
        UsesCudnn = component.Name switch
        {
            ComponentNames.UNet or ComponentNames.VaeDecoder or ComponentNames.VaeDecoderFp32 or ComponentNames.VaeEncoder => true,
            ComponentNames.ClipL or ComponentNames.ClipG => package.PartPrecisions.TextEncoders == Precision.Fp16,
            _ => false,
        },
    };

    /// <summary>
    /// Whether working memory of a component is an arena of its own: what works on whole pictures takes more than all else together, and
    /// only for a moment. Asked in every step: allocates nothing managed.
    /// </summary>
    public static bool OwnsArena(ComponentSpec component) =>
        component.Name is ComponentNames.VaeDecoder
            or ComponentNames.VaeDecoderFp32
            or ComponentNames.VaeEncoder
            or ComponentNames.Finishing
            or ComponentNames.Framing;

    private static SessionArithmetic Of(Precision precision) =>
        precision == Precision.Fp16 ? SessionArithmetic.Fp16 : SessionArithmetic.Fp32;
}

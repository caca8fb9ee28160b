using MuseAtelier.Packages;

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

/// <summary>The properties of a session that a device's options depend on.</summary>
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
    /// Whether a component's sessions have an arena of their own. Components that work on whole pictures need more working memory than all
    /// others together, and only for a short time. Called in every step, so it allocates nothing managed.
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

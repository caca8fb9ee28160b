using MuseAtelier.Packages;

namespace MuseAtelier.Export;

/// <summary>A part was asked for in another storage precision than it computes in, which no lowering supports.</summary>
public sealed class UnsupportedPrecisionException(Precisions precisions)
    : MuseAtelierException(
        $"the precisions are {precisions}",
        "parts that are stored as they compute: fp16 or fp32",
        "Choose one precision for each part.")
{
    /// <summary>The precisions that were asked for.</summary>
    public Precisions Precisions { get; } = precisions;

    internal static void ThrowIfAny(Precisions precisions)
    {
        bool areSupported = precisions.TextEncoders.IsSupported && precisions.UNet.IsSupported && precisions.Vae.IsSupported;
        if (!areSupported) throw new UnsupportedPrecisionException(precisions);
    }
}

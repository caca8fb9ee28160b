using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>A part was requested with different precisions for storage and arithmetic, which no lowering supports.</summary>
public sealed class UnsupportedPrecisionException : MuseAtelierException
{
    internal UnsupportedPrecisionException(Precisions precisions)
        : base(
            $"the precisions are {precisions}",
            "parts that are stored as they compute: fp16 or fp32",
            "Choose one precision for each part.") =>
            Precisions = precisions;

    /// <summary>The requested precisions.</summary>
    public Precisions Precisions { get; }

    internal static void ThrowIfAny(Precisions precisions)
    {
        bool areSupported = precisions.TextEncoders.IsSupported && precisions.UNet.IsSupported && precisions.Vae.IsSupported;
        if (!areSupported) throw new UnsupportedPrecisionException(precisions);
    }
}

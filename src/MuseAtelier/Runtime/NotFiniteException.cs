using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier;

/// <summary>A part of the model computed numbers that are not finite (NaN or infinity). It is the first such part of the run.</summary>
public sealed class NotFiniteException : MuseAtelierException
{
    internal NotFiniteException(string part, string found, string remedy)
        : base(found, "finite numbers", remedy) => Part = part;

    /// <summary>The part of the model, such as <c>unet</c>.</summary>
    public string Part { get; }

    /// <summary>Creates the exception for a text encoder.</summary>
    /// <param name="part">The text encoder: one of <see cref="ComponentNames"/>.</param>
    /// <param name="precision">The precision of its arithmetic.</param>
    internal static NotFiniteException OfText(string part, Precision precision) => new(
        part,
        $"the text encoder {PipelineRecipe.Of(part).Title} gave numbers that are not finite, in {Name(precision)}",
        precision == Precision.Fp16 ? "Compute the text encoders in fp32."
            : "The checkpoint's text encoder is damaged: take another edition of it.");

    /// <summary>Creates the exception for the UNet.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="precision">The precision of its arithmetic.</param>
    internal static NotFiniteException OfUNet(int step, Precision precision) => new(
        ComponentNames.UNet,
        FormattableString.Invariant(
            $"the UNet gave numbers that are not finite in step {step}, in {Name(precision)}; what the text encoders gave was finite"),
        precision == Precision.Fp16
            ? "Compute the UNet in fp32; where a single prompt fails so, another prompt or guidance scale may do."
            : "Try another prompt or guidance scale; if every picture fails so, the checkpoint's UNet is damaged.");

    /// <summary>Creates the exception for the VAE's encoder.</summary>
    /// <param name="precision">The precision of its arithmetic.</param>
    internal static NotFiniteException OfEncoder(Precision precision) => new(
        PipelineRecipe.Encoder,
        $"the VAE encoder gave numbers that are not finite for the existing picture, in {Name(precision)}",
        precision == Precision.Fp16
            ? "Compute the VAE in fp32."
            : "Try another picture; if every one fails so, the checkpoint's VAE is damaged.");

    /// <summary>Creates the exception for an upscaler, whose last attempt is in fp32.</summary>
    /// <param name="name">The upscaler's name.</param>
    internal static NotFiniteException OfUpscaler(string name) => new(
        ComponentNames.Upscaler,
        $"the upscaler {name} gave numbers that are not finite, in fp32 as well",
        "The upscaler's file is damaged or not trained: take another edition of it.");

    private static string Name(Precision precision) => precision == Precision.Fp16 ? "fp16" : "fp32";
}

/// <summary>The checkpoint lacks a part of the model that the request needs.</summary>
public sealed class ModelPartMissingException : MuseAtelierException
{
    internal ModelPartMissingException(string model, string part, string what)
        : base(
            $"the checkpoint of {model} has no {what}",
            $"a checkpoint with a {what}",
            "Take the complete checkpoint, or leave out the picture that is to be read.") =>
            Part = part;

    /// <summary>The part of the model, such as <c>unet</c>.</summary>
    public string Part { get; }
}

using System.Globalization;
using System.Text.Json.Serialization;

namespace MuseAtelier.Packages;

/// <summary>The arithmetic of a part of the model.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Precision>))]
public enum Precision
{
    /// <summary>
    /// IEEE 754 binary16. The CUDA lowering computes with fp16 operators, which add up in fp32. The portable lowering computes each
    /// operation in fp32 and rounds what comes out to fp16: few processors have the operators.
    /// </summary>
    Fp16,

    /// <summary>IEEE 754 binary32 throughout.</summary>
    Fp32,
}

/// <summary>The arithmetic of a package's parts.</summary>
/// <param name="TextEncoders">CLIP-L and CLIP-G.</param>
/// <param name="UNet">The denoising network, with the keys, values and shifts that it takes.</param>
/// <param name="Vae">Decoder and encoder.</param>
public sealed record Precisions(Precision TextEncoders, Precision UNet, Precision Vae)
{
    /// <summary>What a lowering chooses by itself.</summary>
    public static Precisions Of(Lowering lowering) =>
        lowering == Lowering.Cuda ? new(Precision.Fp32, Precision.Fp16, Precision.Fp16) : All(Precision.Fp32);

    /// <summary>The same for every part.</summary>
    public static Precisions All(Precision precision) => new(precision, precision, precision);

    /// <summary>In a word for names of folders, such as <c>text32-unet16-vae16</c>.</summary>
    public string Code() => string.Create(CultureInfo.InvariantCulture, $"text{Bits(TextEncoders)}-unet{Bits(UNet)}-vae{Bits(Vae)}");

    /// <summary>In words, such as <c>text encoders fp32, UNet fp16, VAE fp16</c>.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"text encoders {TextEncoders.Name()}, UNet {UNet.Name()}, VAE {Vae.Name()}");

    private static int Bits(Precision precision) => 8 * precision.Type().Size();
}

/// <summary>Names and types of precisions.</summary>
public static class PrecisionNames
{
    /// <summary><c>fp16</c> or <c>fp32</c>.</summary>
    public static string Name(this Precision precision) => precision == Precision.Fp16 ? "fp16" : "fp32";

    /// <summary>The type of numbers of that precision.</summary>
    public static ElementType Type(this Precision precision) => precision == Precision.Fp16 ? ElementType.F16 : ElementType.F32;
}

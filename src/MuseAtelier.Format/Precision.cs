using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>A precision in which parts of the model are stored and compute.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Precision>))]
public enum Precision
{
    /// <summary>
    /// IEEE 754 binary16. The CUDA lowering computes with fp16 operators, which add up in fp32. The portable lowering computes each
    /// operation in fp32 and rounds the result to fp16, because few processors have fp16 operators.
    /// </summary>
    Fp16,

    /// <summary>IEEE 754 binary32 throughout.</summary>
    Fp32,
}

/// <summary>The precision of a part of the model. It is written as one word if storage and arithmetic are equal.</summary>
[JsonConverter(typeof(PartPrecisionConverter))]
public readonly record struct PartPrecision
{
    /// <summary>Creates a precision. <see cref="IsSupported"/> tells which ones can be used.</summary>
    /// <param name="storage">The precision in which its weights are stored.</param>
    /// <param name="arithmetic">The precision in which it computes.</param>
    public PartPrecision(Precision storage, Precision arithmetic)
    {
        Storage = storage;
        Arithmetic = arithmetic;
    }

    /// <summary>The precision in which its weights are stored.</summary>
    public Precision Storage { get; init; }

    /// <summary>The precision in which it computes.</summary>
    public Precision Arithmetic { get; init; }

    /// <summary>
    /// Whether the exporter and the engine support such a part. Both precisions must be equal, because no lowering converts between them.
    /// In fp32, weights of two or more dimensions keep the checkpoint's element type, which converts to fp32 without loss.
    /// </summary>
    public bool IsSupported => Enum.IsDefined(Storage) && Enum.IsDefined(Arithmetic) && Storage == Arithmetic;

    /// <summary>A part whose storage and arithmetic are equal.</summary>
    public static implicit operator PartPrecision(Precision precision) => From(precision);

    /// <summary>A part whose storage and arithmetic are equal.</summary>
    /// <param name="precision">The precision of both.</param>
    public static PartPrecision From(Precision precision) => new(precision, precision);

    /// <summary>In words: <c>fp16</c>, or <c>fp32 stored in fp16</c>.</summary>
    public override string ToString() =>
        Storage == Arithmetic ? Arithmetic.Name() : $"{Arithmetic.Name()} stored in {Storage.Name()}";

    /// <summary>In digits for names of folders: <c>16</c>, or <c>32s16</c> if storage and arithmetic differ.</summary>
    internal string Code() => Storage == Arithmetic ? Bits(Arithmetic) : $"{Bits(Arithmetic)}s{Bits(Storage)}";

    private static string Bits(Precision precision) => (8 * precision.Type().Size()).ToString(CultureInfo.InvariantCulture);
}

/// <summary>The precisions of a package's parts.</summary>
public sealed record Precisions
{
    /// <summary>Creates the precisions of a package.</summary>
    /// <param name="textEncoders">CLIP-L and CLIP-G.</param>
    /// <param name="unet">The UNet, with its keys, values and time embedding projections.</param>
    /// <param name="vae">Decoder and encoder.</param>
    public Precisions(PartPrecision textEncoders, PartPrecision unet, PartPrecision vae)
    {
        TextEncoders = textEncoders;
        UNet = unet;
        Vae = vae;
    }

    /// <summary>CLIP-L and CLIP-G.</summary>
    public PartPrecision TextEncoders { get; init; }

    /// <summary>The UNet, with its keys, values and time embedding projections.</summary>
    public PartPrecision UNet { get; init; }

    /// <summary>Decoder and encoder.</summary>
    public PartPrecision Vae { get; init; }

    /// <summary>
    /// The defaults of a lowering: fp32 for every part on processors; on NVIDIA cards fp16, except for the text encoders, whose fp16 shifts
    /// colours.
    /// </summary>
    /// <param name="lowering">The kind of device.</param>
    public static Precisions Of(Lowering lowering) =>
        lowering == Lowering.Cuda ? new(Precision.Fp32, Precision.Fp16, Precision.Fp16) : All(Precision.Fp32);

    /// <summary>One precision for every part.</summary>
    /// <param name="precision">The precision of storage and arithmetic.</param>
    public static Precisions All(Precision precision) => new(precision, precision, precision);

    /// <summary>As one word for names of folders, such as <c>text32-unet16-vae16</c>.</summary>
    internal string Code() => $"text{TextEncoders.Code()}-unet{UNet.Code()}-vae{Vae.Code()}";

    /// <summary>In words, such as <c>text encoders fp32, UNet fp16, VAE fp16</c>.</summary>
    public override string ToString() => $"text encoders {TextEncoders}, UNet {UNet}, VAE {Vae}";
}

/// <summary>Names and types of precisions.</summary>
internal static class PrecisionNames
{
    /// <summary><c>fp16</c> or <c>fp32</c>.</summary>
    public static string Name(this Precision precision) => precision == Precision.Fp16 ? "fp16" : "fp32";

    /// <summary>The type of numbers of that precision.</summary>
    public static ElementType Type(this Precision precision) => precision == Precision.Fp16 ? ElementType.F16 : ElementType.F32;
}

/// <summary>Writes a precision as one word, or as an object if storage and arithmetic differ.</summary>
internal sealed class PartPrecisionConverter : JsonConverter<PartPrecision>
{
    public override PartPrecision Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String) return ReadPrecision(ref reader);
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("A precision is neither a word nor an object.");
        Precision? storage = null, arithmetic = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isStorage = reader.ValueTextEquals("storage"), isArithmetic = reader.ValueTextEquals("arithmetic");
            if (!isStorage && !isArithmetic) throw new JsonException("A precision has the members storage and arithmetic.");
            reader.Read();
            if (isStorage) storage = ReadPrecision(ref reader);
            else arithmetic = ReadPrecision(ref reader);
        }

        return storage is { } stored && arithmetic is { } computed
            ? new PartPrecision(stored, computed)
            : throw new JsonException("A precision has the members storage and arithmetic.");
    }

    public override void Write(Utf8JsonWriter writer, PartPrecision value, JsonSerializerOptions options)
    {
        if (value.Storage == value.Arithmetic)
        {
            writer.WriteStringValue(value.Arithmetic.ToString());
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("storage", value.Storage.ToString());
        writer.WriteString("arithmetic", value.Arithmetic.ToString());
        writer.WriteEndObject();
    }

    private static Precision ReadPrecision(ref Utf8JsonReader reader)
    {
        string? word = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        // TryParse alone also accepts numbers.
        return Enum.TryParse(word, ignoreCase: true, out Precision precision) && char.IsAsciiLetter(word![0])
            ? precision
            : throw new JsonException("A precision is Fp16 or Fp32.");
    }
}

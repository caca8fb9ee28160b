using System.Text.Json;
using MuseAtelier.Adapters;
using static System.FormattableString;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>A LoRA of a request as records hold it: by the name and the digest of its file.</summary>
/// <param name="Name">The file's name without its folder and its extension.</param>
/// <param name="Strength">The factor of the changes to the UNet.</param>
internal sealed record RecordedLora(string Name, float Strength)
{
    private const string UnknownName = "lora";
    private const string Extension = ".safetensors";
    private const int LongestShortHash = 64;

    /// <summary>SHA-256 of the file, lower-case hex.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The factor of the changes to the text encoders; null means <see cref="Strength"/>.</summary>
    public float? TextStrength { get; init; }

    /// <summary>The first digits of AUTOMATIC1111's digest; null if unknown.</summary>
    public string? ShortHash { get; init; }

    /// <summary>Whether a tag of the prompt names it; null means that the request itself does.</summary>
    public bool? FromPrompt { get; init; }

    /// <summary>The recorded form of a request's LoRAs; null for none.</summary>
    public static IReadOnlyList<RecordedLora>? Of(IReadOnlyList<PictureLora> loras) => loras.Count == 0 ? null : OfSecondPass(loras);

    /// <summary>The recorded form of the LoRAs of a second pass; null where they are the request's, and an empty list for none.</summary>
    public static IReadOnlyList<RecordedLora>? OfSecondPass(IReadOnlyList<PictureLora>? loras) => loras is null
        ? null
        : [.. loras.Select(lora => new RecordedLora(RecordedFileName.Of(lora.Name) ?? UnknownName, lora.Strength)
        {
            Sha256 = lora.Sha256,
            TextStrength = lora.TextStrength == lora.Strength ? null : lora.TextStrength,
            ShortHash = lora.ShortHash,
            FromPrompt = lora.IsFromPrompt ? true : null,
        })];

    /// <summary>The LoRAs of a recorded request. Painting with them needs their files.</summary>
    /// <exception cref="JsonException">There are too many, or one of them is not as <see cref="Of"/> writes it.</exception>
    public static IReadOnlyList<PictureLora> ToLoras(IReadOnlyList<RecordedLora>? loras) => loras is null ? [] : ToLoras(loras, least: 1);

    /// <summary>The LoRAs of a recorded second pass; null where they are the request's.</summary>
    /// <exception cref="JsonException">
    /// There are too many, or one of them is not as <see cref="OfSecondPass"/> writes it.
    /// </exception>
    public static IReadOnlyList<PictureLora>? ToLorasOfSecondPass(IReadOnlyList<RecordedLora>? loras) =>
        loras is null ? null : ToLoras(loras, least: 0);

    private static IReadOnlyList<PictureLora> ToLoras(IReadOnlyList<RecordedLora> loras, int least)
    {
        bool isInRange = loras.Count >= least && loras.Count <= LoraRules.Most && loras.All(lora => lora is not null);
        if (!isInRange) throw new JsonException(Invariant($"it has {loras.Count} LoRAs, not {least} to {LoraRules.Most}"));
        return [.. loras.Select(lora => lora.ToLora())];
    }

    private PictureLora ToLora()
    {
        if (!RecordedFileName.IsName(Name)) throw new JsonException("one of its LoRAs has no legal name");
        // Also refuses infinity, to which the reader turns numbers beyond the range of their type.
        bool isInRange = LoraRules.IsStrength(Strength) && LoraRules.IsStrength(TextStrength ?? 0);
        if (!isInRange) throw new JsonException($"the strength of its LoRA {Name} is out of range");
        if (Sha256 is null) throw new JsonException($"its LoRA {Name} has no digest");
        ImageDigest.Check(Sha256);
        bool isHash = ShortHash is null or { Length: > 0 and <= LongestShortHash } && (ShortHash ?? "").All(char.IsAsciiHexDigitLower);
        if (!isHash) throw new JsonException($"the short digest of its LoRA {Name} is no digest");
        return new PictureLora
        {
            Path = Name + Extension,
            Strength = Strength,
            TextStrength = TextStrength,
            Sha256 = Sha256,
            ShortHash = ShortHash,
            IsFromPrompt = FromPrompt ?? false,
            IsReference = true,
        };
    }
}

namespace MuseAtelier;

/// <summary>The ranges of a request's LoRAs.</summary>
internal static class LoraRules
{
    /// <summary>The most LoRAs of a request.</summary>
    public const int Most = 100;

    /// <summary>The largest strength, of either sign.</summary>
    public const float LargestStrength = 100;

    private const int DigestLength = 64;

    /// <summary>Checks that every LoRA of a request is in range. Reads no file.</summary>
    /// <exception cref="RequestLoraException">A LoRA is out of range.</exception>
    /// <exception cref="ArgumentNullException">The list or one of its entries is null.</exception>
    public static void Check(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request.Loras);
        if (request.Loras.Count > Most) throw RequestLoraException.TooMany(request.Loras.Count);
        for (int i = 0; i < request.Loras.Count; i++)
        {
            PictureLora lora = request.Loras[i];
            ArgumentNullException.ThrowIfNull(lora, nameof(request.Loras));
            if (string.IsNullOrWhiteSpace(lora.Path)) throw RequestLoraException.NoPath(i);
            CheckStrength(lora, "strength", lora.Strength);
            if (lora.TextStrength is { } text) CheckStrength(lora, "text strength", text);
            if (lora.Sha256 is { } digest && !IsDigest(digest)) throw RequestLoraException.OfDigest(lora.Path, digest);
        }
    }

    private static bool IsDigest(string text) =>
        text.Length == DigestLength && text.All(letter => char.IsAsciiDigit(letter) || letter is >= 'a' and <= 'f');

    /// <summary>Whether a strength is a number in range.</summary>
    public static bool IsStrength(float strength) => strength is >= -LargestStrength and <= LargestStrength;

    private static void CheckStrength(PictureLora lora, string name, float strength)
    {
        if (!IsStrength(strength)) throw RequestLoraException.OfStrength(lora.Path, name, strength);
    }
}

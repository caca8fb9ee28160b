namespace MuseAtelier;

/// <summary>A part of the model failed while it was loaded or run.</summary>
public sealed class InferenceException : MuseAtelierException
{
    internal InferenceException(string part, string found, Exception inner)
        : base(
            found,
            "the part to run",
            "If this persists, export the checkpoint again with this version; else please report it with this message.",
            inner) =>
            Part = part;

    /// <summary>The part of the model: a stage's name.</summary>
    public string Part { get; }
}

/// <summary>
/// The decoded picture is not finite: the latents are not finite, the VAE is damaged, or its fp16 arithmetic overflowed and fp32 does not
/// fit the budget.
/// </summary>
public sealed class DecodingException : MuseAtelierException
{
    internal DecodingException(bool latentsAreFaulty, bool fp32Fits = true)
        : base(What(latentsAreFaulty, fp32Fits), "finite numbers", Advice(latentsAreFaulty, fp32Fits)) =>
            LatentsAreFaulty = latentsAreFaulty;

    /// <summary>Whether the latents rather than the decoder caused the failure.</summary>
    public bool LatentsAreFaulty { get; }

    private static string What(bool latentsAreFaulty, bool fp32Fits)
    {
        if (latentsAreFaulty) return "the latents are not finite numbers";
        return fp32Fits
            ? "the decoded picture is not finite, in fp32 either"
            : "the decoded picture is not finite in fp16, and decoding in fp32 does not fit the budget";
    }

    private static string Advice(bool latentsAreFaulty, bool fp32Fits)
    {
        if (latentsAreFaulty)
            return "Try another guidance scale or seed; if every picture fails so, the checkpoint's UNet overflows fp16.";
        return fp32Fits
            ? "Try another seed; if every picture fails so, the checkpoint's VAE is damaged."
            : "Give a larger budget, or try another seed.";
    }
}

namespace MuseAtelier.Conditioning;

/// <summary>The text encoders' output for one prompt, in managed memory. The denoiser is conditioned on it.</summary>
internal sealed class PromptEmbeds
{
    /// <summary>Takes over the arrays.</summary>
    /// <param name="tokens">The number of tokens: 77 for each chunk of the prompt.</param>
    /// <param name="hidden">[tokens, width of CLIP-L + width of CLIP-G] fp32.</param>
    /// <param name="pooled">[pooled width] fp32.</param>
    /// <exception cref="ArgumentException">The hidden states do not have that number of rows.</exception>
    public PromptEmbeds(int tokens, float[] hidden, float[] pooled)
    {
        if (tokens < 1 || hidden.Length % tokens != 0)
            throw new ArgumentException("The hidden states must have one row for each token.", nameof(hidden));
        Tokens = tokens;
        Hidden = hidden;
        Pooled = pooled;
    }

    /// <summary>The number of tokens, which are the rows of <see cref="Hidden"/>.</summary>
    public int Tokens { get; }

    /// <summary>[Tokens, width of CLIP-L + width of CLIP-G] fp32: the penultimate hidden states of both encoders, side by side.</summary>
    public float[] Hidden { get; }

    /// <summary>[pooled width] fp32: CLIP-G's pooled output for the first chunk.</summary>
    public float[] Pooled { get; }

    /// <summary>Zeros of the same sizes, which AUTOMATIC1111 and diffusers use for an empty negative prompt.</summary>
    public PromptEmbeds Zeros() => new(Tokens, new float[Hidden.Length], new float[Pooled.Length]);

    /// <summary>Copies some columns of the hidden states: [Tokens, width].</summary>
    public float[] Columns(int start, int width)
    {
        int all = Hidden.Length / Tokens;
        float[] columns = new float[Tokens * width];
        for (int row = 0; row < Tokens; row++) Hidden.AsSpan(row * all + start, width).CopyTo(columns.AsSpan(row * width));
        return columns;
    }
}

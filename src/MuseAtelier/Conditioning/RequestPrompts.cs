namespace MuseAtelier.Conditioning;

/// <summary>The prompts of a request, with equally many chunks.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Negative">The negative prompt; null if it is not encoded.</param>
internal sealed record RequestPrompts(PreparedPrompt Prompt, PreparedPrompt? Negative)
{
    /// <summary>
    /// Prepares the prompts of a request. The shorter one is padded with chunks of the empty prompt. A negative prompt is not encoded
    /// without guidance, or if an empty one means zeros, whose number does not matter: attention to zeros gives zeros.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <exception cref="PromptException">A prompt cannot be read in its syntax, or takes too many chunks.</exception>
    public static RequestPrompts Of(PictureRequest request)
    {
        PreparedPrompt prompt = PreparedPrompt.Of(request.Prompt, "prompt", request.PromptSyntax);
        bool isZeros = request.NegativePrompt.Length == 0 && request.EmptyNegative == EmptyNegative.Zeros;
        if (!request.IsGuided || isZeros) return new RequestPrompts(prompt, null);
        PreparedPrompt negative = PreparedPrompt.Of(request.NegativePrompt, "negative prompt", request.PromptSyntax);
        int count = Math.Max(prompt.Chunks.Count, negative.Chunks.Count);
        return new RequestPrompts(PadTo(prompt), PadTo(negative));

        PreparedPrompt PadTo(PreparedPrompt shorter) => shorter with { Chunks = shorter.Chunks.PadTo(count) };
    }

    /// <summary>The number of chunks that the longest prompt of a request takes, without preparing prompts that always take one.</summary>
    /// <param name="request">The request.</param>
    /// <exception cref="PromptException">A prompt cannot be read in its syntax, or takes too many chunks.</exception>
    public static int CountChunks(PictureRequest request) =>
        request.PromptSyntax == PromptSyntax.Plain ? 1 : Of(request).Prompt.Chunks.Count;
}

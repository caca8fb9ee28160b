namespace MuseAtelier.Conditioning;

/// <summary>The prompts of a request, as the text encoders and the steps need them.</summary>
/// <param name="Sets">
/// The different sets of prompts, in the order in which steps first use them: one, unless the prompt changes between steps.
/// </param>
/// <param name="SetOfStep">[steps] the index of each step's set.</param>
/// <param name="Weights">The weight of each part of the prompt; 1 for a prompt of one part.</param>
/// <param name="Notices">What the user should know about text that is not encoded as written or not encoded at all.</param>
internal sealed record RequestPrompts(
    IReadOnlyList<PromptSet> Sets, IReadOnlyList<int> SetOfStep, IReadOnlyList<float> Weights, IReadOnlyList<string> Notices)
{
    /// <summary>The number of chunks of every prompt.</summary>
    public int Chunks => Sets[0].Parts[0].Count;

    /// <summary>
    /// Prepares the prompts of a request. The shorter one is padded with chunks of the empty prompt. A negative prompt is not encoded
    /// without guidance, or if an empty one means zeros, whose number does not matter: attention to zeros gives zeros.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <exception cref="PromptException">A prompt cannot be read in its syntax, or takes too many chunks.</exception>
    public static RequestPrompts Of(PictureRequest request)
    {
        PreparedPrompt prompt = PreparedPrompt.Of(request.Prompt, "prompt", request.PromptSyntax);
        PromptChunks? negative = null;
        List<string> notices = [.. prompt.Notices];
        bool isZeros = request.NegativePrompt.Length == 0 && request.EmptyNegative == EmptyNegative.Zeros;
        if (request.IsGuided && !isZeros)
        {
            PreparedPrompt prepared = PreparedPrompt.Of(request.NegativePrompt, "negative prompt", request.PromptSyntax);
            notices.AddRange(prepared.Notices);
            negative = prepared.Chunks;
        }

        int count = Math.Max(prompt.Chunks.Count, negative?.Count ?? 1);
        var set = new PromptSet(negative?.PadTo(count), [prompt.Chunks.PadTo(count)]);
        return new RequestPrompts([set], new int[request.Steps], [1], notices);
    }
}

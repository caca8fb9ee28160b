namespace MuseAtelier.Conditioning;

/// <summary>The prompts that the UNet is conditioned on during some steps. All have equally many chunks.</summary>
/// <param name="Negative">The negative prompt; null if it is not encoded: without guidance, or where an empty one means zeros.</param>
/// <param name="Parts">The parts of the prompt, whose predictions are combined: one, or several between the words <c>AND</c>.</param>
internal sealed record PromptSet(PromptChunks? Negative, IReadOnlyList<PromptChunks> Parts)
{
    /// <summary>The text of each part as these steps see it, with weights and escapes.</summary>
    public IReadOnlyList<string> Texts { get; init; } = [];
}

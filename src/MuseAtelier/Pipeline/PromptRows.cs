using MuseAtelier.Conditioning;

namespace MuseAtelier.Pipeline;

/// <summary>Encodes the prompts of a batch, and collects notices about text that the text encoders do not read.</summary>
/// <param name="conditioner">The text encoders; borrowed.</param>
internal sealed class PromptRows(TextConditioner conditioner)
{
    /// <summary>
    /// Encodes the rows of the denoiser's batch: with guidance the negative prompt's rows come first, then the prompt's, one for each slot
    /// of the batch. Adds notices to the batch.
    /// </summary>
    public PromptEmbeds[] Encode(PictureBatch batch, RunScope run)
    {
        PictureRequest request = batch.Request;
        PromptEmbeds prompt = Encode(request.Prompt, "prompt", batch.Notices, run);
        IEnumerable<PromptEmbeds> rows = Enumerable.Repeat(prompt, batch.Slot.BatchSize);
        if (request.IsGuided)
        {
            PromptEmbeds negative = EncodeNegative(request, prompt, batch.Notices, run);
            rows = Enumerable.Repeat(negative, batch.Slot.BatchSize).Concat(rows);
        }

        return [.. rows];
    }

    private PromptEmbeds EncodeNegative(PictureRequest request, PromptEmbeds prompt, List<string> notices, RunScope run) =>
        request.NegativePrompt.Length == 0 && request.EmptyNegative == EmptyNegative.Zeros
            ? prompt.Zeros()
            : Encode(request.NegativePrompt, "negative prompt", notices, run);

    private PromptEmbeds Encode(string text, string name, List<string> notices, RunScope run)
    {
        PreparedPrompt prompt = PreparedPrompt.Of(text, name);
        notices.AddRange(prompt.Notices);
        return conditioner.Encode(prompt.Chunks, run.Options, run.Token);
    }
}

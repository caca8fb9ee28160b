using MuseAtelier.Conditioning;

namespace MuseAtelier.Pipeline;

/// <summary>Encodes the prompts of a batch, and collects notices about text that the text encoders do not read.</summary>
/// <param name="conditioner">The text encoders; borrowed.</param>
internal sealed class PromptRows(TextConditioner conditioner)
{
    /// <summary>
    /// Encodes the rows of the denoiser's batch: with guidance the negative prompt's rows come first, then the prompt's, one for each slot
    /// of the batch. All rows have equally many tokens. Adds notices to the batch.
    /// </summary>
    public PromptEmbeds[] Encode(PictureBatch batch, RunScope run)
    {
        var prompts = RequestPrompts.Of(batch.Request);
        batch.Notices.AddRange(prompts.Notices);
        PromptSet set = prompts.Sets[0];
        PromptEmbeds prompt = Encode(set.Parts[0], batch, run);
        IEnumerable<PromptEmbeds> rows = Enumerable.Repeat(prompt, batch.Slot.BatchSize);
        if (batch.Request.IsGuided)
        {
            PromptEmbeds negative = set.Negative is { } encoded ? Encode(encoded, batch, run) : prompt.Zeros();
            rows = Enumerable.Repeat(negative, batch.Slot.BatchSize).Concat(rows);
        }

        return [.. rows];
    }

    private PromptEmbeds Encode(PromptChunks chunks, PictureBatch batch, RunScope run) =>
        conditioner.Encode(chunks, batch.Request.ClipSkip, run.Options, run.Token);
}

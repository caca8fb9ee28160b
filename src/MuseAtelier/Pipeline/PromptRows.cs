using MuseAtelier.Conditioning;

namespace MuseAtelier.Pipeline;

/// <summary>Encodes the prompts of a batch, and collects notices about text that the text encoders do not read.</summary>
/// <param name="conditioner">The text encoders; borrowed.</param>
internal sealed class PromptRows(TextConditioner conditioner)
{
    /// <summary>
    /// Encodes the rows of the denoiser's batch for each set of prompts: with guidance the negative prompt's rows come first, one for each
    /// slot of the batch, then those of each part of the prompt. All rows have equally many tokens. Adds notices to the batch.
    /// </summary>
    /// <returns>[sets][rows]</returns>
    public IReadOnlyList<PromptEmbeds[]> Encode(PictureBatch batch, RunScope run)
    {
        batch.Notices.AddRange(batch.Prompts.Notices);
        return [.. batch.Prompts.Sets.Select(set => Encode(set, batch, run))];
    }

    private PromptEmbeds[] Encode(PromptSet set, PictureBatch batch, RunScope run)
    {
        PromptEmbeds[] parts = [.. set.Parts.Select(part => Encode(part, batch, run))];
        IEnumerable<PromptEmbeds> rows = parts.SelectMany(part => Enumerable.Repeat(part, batch.Slot.BatchSize));
        if (batch.Recipe.Guidance.IsGuided)
        {
            PromptEmbeds negative = set.Negative is { } encoded ? Encode(encoded, batch, run) : parts[0].Zeros();
            rows = Enumerable.Repeat(negative, batch.Slot.BatchSize).Concat(rows);
        }

        return [.. rows];
    }

    private PromptEmbeds Encode(PromptChunks chunks, PictureBatch batch, RunScope run) =>
        conditioner.Encode(chunks, batch.Request.ClipSkip, run.Options, run.Token);
}

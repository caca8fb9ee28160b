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
        PictureRequest request = batch.Request;
        var prompts = RequestPrompts.Of(request);
        PromptEmbeds prompt = Encode(prompts.Prompt, batch.Notices, run);
        IEnumerable<PromptEmbeds> rows = Enumerable.Repeat(prompt, batch.Slot.BatchSize);
        if (request.IsGuided)
        {
            PromptEmbeds negative = prompts.Negative is { } encoded ? Encode(encoded, batch.Notices, run) : prompt.Zeros();
            rows = Enumerable.Repeat(negative, batch.Slot.BatchSize).Concat(rows);
        }

        return [.. rows];
    }

    private PromptEmbeds Encode(PreparedPrompt prompt, List<string> notices, RunScope run)
    {
        notices.AddRange(prompt.Notices);
        return conditioner.Encode(prompt.Chunks, run.Options, run.Token);
    }
}

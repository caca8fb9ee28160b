using System.Globalization;
using MuseAtelier.Prompting;

namespace MuseAtelier.Pipeline;

/// <summary>Encodes the prompts of a batch, and says what the text encoders do not read of them.</summary>
/// <param name="prompts">The text encoders; borrowed.</param>
internal sealed class PromptRows(PromptEncoder prompts)
{
    /// <summary>
    /// Encodes the rows of the denoiser's batch: with guidance the negative prompt's rows come first, then the prompt's, one for each slot
    /// of the batch. Adds notices to the batch.
    /// </summary>
    public PromptEmbeds[] Encode(PictureBatch batch, RunScope run)
    {
        PictureRequest request = batch.Request;
        PromptEmbeds prompt = Encode(request.Prompt, "prompt", batch.Notices, run);
        IEnumerable<PromptEmbeds> rows = Enumerable.Repeat(prompt, batch.Slot.Pictures);
        if (request.IsGuided)
        {
            PromptEmbeds negative = EncodeNegative(request, prompt, batch.Notices, run);
            rows = Enumerable.Repeat(negative, batch.Slot.Pictures).Concat(rows);
        }

        return [.. rows];
    }

    private PromptEmbeds EncodeNegative(PictureRequest request, PromptEmbeds prompt, List<string> notices, RunScope run) =>
        request.NegativePrompt.Length == 0 && request.EmptyNegative == EmptyNegative.Zeros
            ? new PromptEmbeds(new float[prompt.Context.Length], new float[prompt.Pooled.Length])
            : Encode(request.NegativePrompt, "negative prompt", notices, run);

    private PromptEmbeds Encode(string text, string name, List<string> notices, RunScope run)
    {
        PromptTokens tokens = PromptTokenizer.Encode(text);
        if (PromptSyntaxNotice.Of(text, name) is { } syntax) notices.Add(syntax);
        if (tokens.CutCount > 0)
        {
            string bound = tokens.IsCutCountExact ? "" : "at least ";
            string count = string.Create(CultureInfo.InvariantCulture, $"{bound}{tokens.CutCount}");
            notices.Add($"The {name} has {count} tokens more than the 75 that the model reads; cut off: {Shorten(tokens.CutText)}");
        }

        return prompts.Encode(tokens, text, run.Options, run.Token);
    }

    private static string Shorten(string text)
    {
        const int shown = 120;
        return text.Length <= shown ? text : string.Concat(text.AsSpan(0, shown), "…");
    }
}

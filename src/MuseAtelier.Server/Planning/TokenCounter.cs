using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Server.Adapters;

namespace MuseAtelier.Server.Planning;

/// <summary>Counts tokens as the engine splits prompts. Needs no model.</summary>
internal static class TokenCounter
{
    private static readonly PictureRequest Unguided = new() { Prompt = "", GuidanceScale = 0 };
    private static readonly PictureRequest Guided = new() { Prompt = "" };

    /// <summary>Counts the tokens of both prompts on the thread pool.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="negative">The negative prompt.</param>
    /// <param name="syntax">Their syntax.</param>
    /// <param name="loras">Knows what the prompt's tags mean; without folders, they are text.</param>
    /// <param name="embeddings">The folders in which prompts find embeddings by name.</param>
    /// <param name="cancellationToken">Ends the call between the two.</param>
    /// <exception cref="PictureRequestException">A prompt cannot be read in its syntax.</exception>
    /// <exception cref="MuseAtelierException">An embedding that a prompt names, or a folder of embeddings, cannot be read.</exception>
    public static Task<TokenCounts> CountAsync(
        string prompt, string negative, PromptSyntax syntax, LoraCatalog loras, EmbeddingFolder embeddings,
        CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            TokenCount ofPrompt = OfPrompt(prompt, syntax, loras, embeddings);
            cancellationToken.ThrowIfCancellationRequested();
            return new TokenCounts(ofPrompt, OfNegative(negative, syntax, embeddings));
        },
        cancellationToken);

    private static TokenCount OfPrompt(string prompt, PromptSyntax syntax, LoraCatalog loras, EmbeddingFolder embeddings)
    {
        string read = PromptComments.Strip(prompt, syntax);
        bool hasTags = loras.HasFolders && syntax == PromptSyntax.A1111 && LoraTags.IsIn(read);
        IReadOnlyList<string> notices = hasTags ? loras.NoticesOf(prompt, syntax) : [];
        // Without guidance, the request has no negative prompt.
        PictureRequest request = Unguided with { Prompt = hasTags ? LoraTags.Strip(read) : prompt, PromptSyntax = syntax };
        var prompts = RequestPrompts.Of(request, folder: embeddings);
        return Count(request.Prompt, syntax, [.. prompts.Notices, .. notices], prompts.Sets.SelectMany(set => set.Parts));
    }

    private static TokenCount OfNegative(string negative, PromptSyntax syntax, EmbeddingFolder embeddings)
    {
        var prompts = RequestPrompts.Of(Guided with { NegativePrompt = negative, PromptSyntax = syntax }, folder: embeddings);
        return Count(negative, syntax, prompts.Notices, prompts.Sets.Select(set => set.Negative!));
    }

    private static TokenCount Count(
        string text, PromptSyntax syntax, IReadOnlyList<string> notices, IEnumerable<PromptChunks> versions)
    {
        (int tokens, int chunks, int last) = versions.Select(Measure).MaxBy(version => version.Tokens);
        var count = new TokenCount { Tokens = tokens, Room = TextChunk.Capacity - last, Chunks = chunks, Notices = notices };
        if (syntax != PromptSyntax.Plain) return count;
        PromptTokens read = PromptTokenizer.Encode(text);
        bool isCut = read.CutCount > 0 && text.EndsWith(read.CutText, StringComparison.Ordinal);
        return count with { Tokens = tokens + read.CutCount, CutAt = isCut ? text.Length - read.CutText.Length : null };
    }

    // The tokens, the chunks without those that only make the prompts equally long, and the tokens of the last one.
    private static (int Tokens, int Chunks, int Last) Measure(PromptChunks chunks)
    {
        int tokens = 0, used = 1, last = 0;
        for (int chunk = 0; chunk < chunks.Count; chunk++)
        {
            int length = LengthOf(chunks.ClipL(chunk));
            tokens += length;
            if (length == 0) continue;
            used = chunk + 1;
            last = length;
        }

        return (tokens, used, last);
    }

    // The tokens of text in a chunk: those before the last run of ends, which is the end and the padding.
    private static int LengthOf(ReadOnlySpan<int> chunk) =>
        Math.Max(0, chunk[..(TextChunk.Length - 1)].LastIndexOfAnyExcept(ClipVocabulary.EndOfText));
}

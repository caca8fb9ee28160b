using MuseAtelier.Adapters;
using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Conditioning;

/// <summary>The prompts of a request, as the text encoders and the steps need them.</summary>
/// <param name="Sets">
/// The different sets of prompts, in the order in which steps first use them: one, unless the prompt changes between steps; at most
/// <see cref="PromptTimeline.MostTexts"/>.
/// </param>
/// <param name="SetOfStep">[steps] the index of each step's set.</param>
/// <param name="Weights">The weight of each part of the prompt; 1 for a prompt of one part.</param>
/// <param name="Notices">What the user should know about text that is not encoded as written or not encoded at all.</param>
internal sealed record RequestPrompts(
    IReadOnlyList<PromptSet> Sets, IReadOnlyList<int> SetOfStep, IReadOnlyList<float> Weights, IReadOnlyList<string> Notices)
{
    // The bits of a version's index, of which there are at most MostTexts. Eight parts and the negative prompt take 54.
    private const int VersionBits = 6;

    /// <summary>The embeddings (textual inversion) that the prompts name, in the order in which steps first use them.</summary>
    public IReadOnlyList<Embedding> Embeddings { get; } =
    [
        .. Sets.SelectMany(set => set.Negative is { } negative ? [.. set.Parts, negative] : set.Parts)
            .SelectMany(chunks => chunks.Embeddings)
            .DistinctBy(embedding => (embedding.Name, embedding.Sha256)),
    ];

    /// <summary>The number of chunks of every prompt.</summary>
    public int Chunks => Sets[0].Parts[0].Count;

    /// <summary>
    /// Prepares the prompts of a request and makes them equally long. The negative prompt of a prompt of one part is not encoded without
    /// guidance. An empty one that means zeros is never encoded; their number does not matter, because attention to zeros gives zeros.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="name">The prompt's name in notices and errors.</param>
    /// <param name="folder">The folders in which prompts find embeddings by name; by default none.</param>
    /// <exception cref="PromptException">
    /// A prompt cannot be read in its syntax, takes too many chunks, or has too many parts or versions.
    /// </exception>
    /// <exception cref="EmbeddingNotFoundException">A prompt in ComfyUI's syntax names an embedding that does not exist.</exception>
    /// <exception cref="EmbeddingFolderException">A folder of embeddings is gone.</exception>
    /// <exception cref="CheckpointException">An embedding that a prompt names cannot be used.</exception>
    public static RequestPrompts Of(PictureRequest request, string name = "prompt", EmbeddingFolder? folder = null)
    {
        EmbeddingCatalog catalog = (folder ?? EmbeddingFolder.None).Scan();
        PromptSettings settings = PromptSettings.Of(request) with { Embeddings = catalog };
        List<string> notices = [];
        if (!catalog.IsComplete)
            notices.Add(Invariant($"The folders of embeddings have more than {EmbeddingFolder.MostFiles} files; others are not found."));

        // 1. The parts of the prompt.
        string prompt = LoraTags.TextOf(request);
        if (PromptSyntaxNotice.Of(prompt, name, settings.Syntax, settings.ReadsEmbeddings) is { } notice) notices.Add(notice);
        IReadOnlyList<PromptPart> parts = settings.Syntax == PromptSyntax.A1111
            ? PromptPart.Split(prompt, name, notices)
            : [new PromptPart(prompt, 1, name)];
        List<PromptVersions> prompts =
            [.. parts.Select(part => PromptVersions.Of(part.Text, part.Name, settings, request.Steps))];

        // 2. The negative prompt, behind the parts.
        bool isZeros = request.NegativePrompt.Length == 0 && request.EmptyNegative == EmptyNegative.Zeros;
        // The predictions of several parts are combined by their differences from the negative prompt's, with and without guidance.
        bool hasNegative = (request.IsGuided || parts.Count > 1) && !isZeros;
        if (hasNegative) prompts.Add(Negative(request, settings));
        foreach (PromptVersions versions in prompts) notices.AddRange(versions.Notices);

        // 3. Equal lengths, and the sets.
        prompts = Align(prompts, settings.Syntax, notices);
        (List<PromptSet> sets, int[] setOfStep) = Combine(prompts, parts.Count, request.Steps, name);
        return new RequestPrompts(sets, setOfStep, [.. parts.Select(part => part.Weight)], notices);
    }

    private static PromptVersions Negative(PictureRequest request, PromptSettings settings)
    {
        const string name = "negative prompt";
        string text = PromptComments.Strip(request.NegativePrompt, settings.Syntax);
        var prompt = PromptVersions.Of(text, name, settings, request.Steps);
        List<string> notices = [];
        if (PromptSyntaxNotice.Of(text, name, settings.Syntax, settings.ReadsEmbeddings) is { } notice) notices.Add(notice);
        if (settings.Syntax == PromptSyntax.A1111 && PromptPart.HasAnd(text))
            notices.Add("The negative prompt has the word AND, which is painted as text there, as AUTOMATIC1111 does.");
        return prompt with { Notices = [.. notices, .. prompt.Notices] };
    }

    // AUTOMATIC1111 appends chunks of the empty prompt (modules/sd_samplers_cfg_denoiser.py, pad_cond). ComfyUI repeats a prompt, which
    // changes nothing, until both are equally long (comfy/conds.py, CONDCrossAttn), or evaluates them apart.
    private static List<PromptVersions> Align(List<PromptVersions> prompts, PromptSyntax syntax, List<string> notices)
    {
        int[] counts = [.. prompts.SelectMany(prompt => prompt.Chunks).Select(chunks => chunks.Count)];
        int longest = counts.Max();
        if (syntax != PromptSyntax.Comfy) return [.. prompts.Select(prompt => prompt.With(chunks => chunks.PadTo(longest)))];
        int multiple = counts.Aggregate(LeastCommonMultiple);
        if (multiple <= ChunkWriter.MostChunks) return [.. prompts.Select(prompt => prompt.With(chunks => chunks.RepeatTo(multiple)))];
        notices.Add(Invariant($"The prompts have {string.Join(" and ", counts)} chunks of {TextChunk.Capacity} tokens. The shorter one is ")
            + "padded with chunks of the empty prompt, so that the picture differs from ComfyUI's, which evaluates them apart.");
        return [.. prompts.Select(prompt => prompt.With(chunks => chunks.PadTo(longest)))];
    }

    private static int LeastCommonMultiple(int one, int other)
    {
        int multiple = one;
        while (multiple % other != 0) multiple += one;
        return multiple;
    }

    // The different combinations of versions, in the order of the steps.
    private static (List<PromptSet> Sets, int[] SetOfStep) Combine(List<PromptVersions> prompts, int parts, int steps, string name)
    {
        List<PromptSet> sets = [];
        int[] setOfStep = new int[steps];
        Dictionary<ulong, int> known = [];
        for (int step = 0; step < steps; step++)
        {
            ulong key = 0;
            foreach (PromptVersions prompt in prompts) key = (key << VersionBits) | (uint)prompt.VersionOfStep[step];
            if (!known.TryGetValue(key, out int index))
            {
                if (sets.Count == PromptTimeline.MostTexts) throw PromptException.TooManyVersions(name, PromptTimeline.MostTexts);
                index = known[key] = sets.Count;
                PromptVersions? negative = prompts.Count > parts ? prompts[parts] : null;
                sets.Add(new PromptSet(
                    negative?.Chunks[negative.VersionOfStep[step]],
                    [.. prompts.Take(parts).Select(prompt => prompt.Chunks[prompt.VersionOfStep[step]])])
                {
                    Texts = [.. prompts.Take(parts).Select(prompt => prompt.Texts[prompt.VersionOfStep[step]])],
                });
            }

            setOfStep[step] = index;
        }

        return (sets, setOfStep);
    }
}

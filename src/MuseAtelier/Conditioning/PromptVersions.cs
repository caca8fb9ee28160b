namespace MuseAtelier.Conditioning;

/// <summary>A prompt, or a part of one, that is ready for the text encoders in all its versions over the steps.</summary>
/// <param name="Texts">The text of each version, with weights and escapes, but without editing.</param>
/// <param name="Chunks">The tokens of each version; no two versions have the same.</param>
/// <param name="VersionOfStep">[steps] the index of each step's version.</param>
/// <param name="Notices">What the user should know about text that is not encoded as written or not encoded at all.</param>
internal sealed record PromptVersions(
    IReadOnlyList<string> Texts,
    IReadOnlyList<PromptChunks> Chunks,
    IReadOnlyList<int> VersionOfStep,
    IReadOnlyList<string> Notices)
{
    /// <summary>Prepares a prompt; needs no model.</summary>
    /// <param name="prompt">The prompt as the user wrote it.</param>
    /// <param name="name">The prompt's name in notices and errors.</param>
    /// <param name="settings">How prompts are read.</param>
    /// <param name="steps">The steps of the picture, at least 1.</param>
    /// <exception cref="PromptException">The prompt cannot be read in its syntax, or takes too many chunks.</exception>
    public static PromptVersions Of(string prompt, string name, PromptSettings settings, int steps)
    {
        List<string> notices = [];
        PromptTimeline timeline = settings.Syntax == PromptSyntax.A1111
            ? PromptTimeline.Of(prompt, steps, name)
            : new PromptTimeline([prompt], new int[steps], IsRead: true);
        if (!timeline.IsRead && PromptSyntaxNotice.HasEditing(prompt))
        {
            notices.Add($"The {name} has '|' outside of [a|b], or a backslash before nothing, so that none of its prompt editing and "
                + "alternation is read, as in AUTOMATIC1111.");
        }

        List<string> texts = [];
        List<PromptChunks> versions = [];
        int[] versionOfText = new int[timeline.Texts.Count];
        for (int i = 0; i < versionOfText.Length; i++)
        {
            PreparedPrompt prepared = PreparedPrompt.Of(timeline.Texts[i], name, settings);
            notices.AddRange(prepared.Notices);
            int version = versions.IndexOf(prepared.Chunks);
            if (version < 0)
            {
                version = versions.Count;
                texts.Add(timeline.Texts[i]);
                versions.Add(prepared.Chunks);
            }

            versionOfText[i] = version;
        }

        int[] versionOfStep = [.. timeline.TextOfStep.Select(text => versionOfText[text])];
        return new PromptVersions(texts, versions, versionOfStep, [.. notices.Distinct()]);
    }

    /// <summary>The same versions with other chunks.</summary>
    public PromptVersions With(Func<PromptChunks, PromptChunks> change) => this with { Chunks = [.. Chunks.Select(change)] };
}

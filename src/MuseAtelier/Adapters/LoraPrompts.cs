using MuseAtelier.Conditioning;

namespace MuseAtelier.Adapters;

/// <summary>
/// Turns the tags by which a prompt names LoRAs into members of <see cref="PictureRequest.Loras"/>. The prompt keeps its tags, so that it
/// is recorded as it was written; <see cref="LoraTags.TextOf"/> leaves them out where it is encoded.
/// </summary>
internal static class LoraPrompts
{
    /// <summary>Resolves the tags of a request in folders that are listed for this call.</summary>
    /// <param name="request">The request.</param>
    /// <param name="folders">The folders; none leaves tags as text.</param>
    /// <exception cref="PictureRequestException">A tag cannot be read, or names no file.</exception>
    /// <exception cref="LoraFolderException">A folder does not exist or cannot be read.</exception>
    public static ResolvedLoras Resolve(PictureRequest request, IReadOnlyList<string> folders) =>
        Resolve(request, new LoraFolder(folders));

    /// <summary>
    /// Resolves the tags of a request: their LoRAs follow those that the request names itself. Does nothing without folders, in other
    /// syntaxes, and if it was done before. The tags of the second pass's own prompt are left out too, but both passes have the LoRAs of
    /// the first prompt.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="folder">The folders.</param>
    /// <exception cref="PictureRequestException">A tag cannot be read, or names no file.</exception>
    /// <exception cref="LoraFolderException">A folder does not exist or cannot be read.</exception>
    public static ResolvedLoras Resolve(PictureRequest request, LoraFolder folder)
    {
        if (folder.Paths.Count == 0) return new ResolvedLoras(request, []);
        ResolvedLoras resolved = Resolve(request, folder.Find);
        bool isRead = resolved.Request is { HasFinalLoras: true };
        return isRead ? resolved with { Notices = [.. folder.Current.Notices, .. resolved.Notices] } : resolved;
    }

    /// <summary>Resolves the tags of a request, as <see cref="Resolve(PictureRequest, LoraFolder)"/> does.</summary>
    /// <param name="request">The request.</param>
    /// <param name="find">Finds the file that a name means, and adds notices.</param>
    /// <exception cref="PictureRequestException">A tag cannot be read, or names no file.</exception>
    /// <exception cref="LoraFolderException">A folder does not exist or cannot be read.</exception>
    public static ResolvedLoras Resolve(PictureRequest request, Func<string, ICollection<string>, LoraEntry> find)
    {
        // Null members are refused by the request's rules.
        if (request is not { Prompt: not null, Loras: not null, PromptSyntax: PromptSyntax.A1111, HasFinalLoras: false })
            return new ResolvedLoras(request!, []);
        IReadOnlyList<LoraTag> tags = TagsOf(request.Prompt, "prompt");
        if (tags.Count == 0) return new ResolvedLoras(request, []);
        List<string> notices = [];
        PictureLora[] loras = [.. tags.Select(tag => Resolve(tag, find, notices))];
        foreach (IGrouping<string, LoraTag> same in tags.GroupBy(tag => tag.Name).Where(same => same.Count() > 1))
            notices.Add($"The prompt names the LoRA '{same.Key}' {same.Count()} times. All of them are added up.");
        if (request.Hires?.Prompt is { } second && !HasSame(tags, second))
        {
            notices.Add("The prompt of the second pass names other LoRAs than the first one. AUTOMATIC1111 paints the second pass with "
                + "those; here both passes have the LoRAs of the first prompt.");
        }

        PictureRequest resolved = request with { Loras = [.. request.Loras, .. loras], HasFinalLoras = true };
        return new ResolvedLoras(resolved, [.. notices.Distinct()]);
    }

    private static PictureLora Resolve(LoraTag tag, Func<string, ICollection<string>, LoraEntry> find, List<string> notices)
    {
        LoraEntry entry = find(tag.Name, notices);
        foreach (string unread in tag.Unread)
            notices.Add($"'{unread}' in the tag of the LoRA '{tag.Name}' is not read: the LoRA is used without it.");
        return new PictureLora
        {
            Path = entry.Path,
            Strength = tag.Strength,
            TextStrength = tag.TextStrength == tag.Strength ? null : tag.TextStrength,
            IsFromPrompt = true,
        };
    }

    private static bool HasSame(IReadOnlyList<LoraTag> tags, string second) =>
        TagsOf(second, "prompt of the second pass").Select(Key).SequenceEqual(tags.Select(Key));

    private static IReadOnlyList<LoraTag> TagsOf(string prompt, string name) =>
        LoraTags.Read(PromptComments.Strip(prompt, PromptSyntax.A1111), name);

    private static (string, float, float) Key(LoraTag tag) => (tag.Name, tag.Strength, tag.TextStrength);
}

/// <summary>A request whose LoRAs are all known.</summary>
/// <param name="Request">The request.</param>
/// <param name="Notices">What the user should know.</param>
internal sealed record ResolvedLoras(PictureRequest Request, IReadOnlyList<string> Notices);

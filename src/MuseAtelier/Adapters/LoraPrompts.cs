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
    /// Resolves the tags of a request: their LoRAs follow those that the request names itself. The tags of the second pass's own prompt
    /// take the place of the first one's in that pass, as in AUTOMATIC1111 (modules/processing.py, parse_extra_network_prompts and
    /// sample_hr_pass). Does nothing without folders, in other syntaxes, and for a prompt for which it was done before.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="folder">The folders.</param>
    /// <exception cref="PictureRequestException">A tag cannot be read, or names no file.</exception>
    /// <exception cref="LoraFolderException">A folder does not exist or cannot be read.</exception>
    public static ResolvedLoras Resolve(PictureRequest request, LoraFolder folder)
    {
        if (folder.Paths.Count == 0) return new ResolvedLoras(request, []);
        ResolvedLoras resolved = Resolve(request, folder.Find);
        if (ReferenceEquals(resolved.Request, request)) return resolved;
        return resolved with { Notices = [.. folder.Current.Notices, .. resolved.Notices] };
    }

    /// <summary>Resolves the tags of a request, as <see cref="Resolve(PictureRequest, LoraFolder)"/> does.</summary>
    /// <param name="request">The request.</param>
    /// <param name="find">Finds the file that a name means, and adds notices.</param>
    /// <exception cref="PictureRequestException">A tag cannot be read, or names no file.</exception>
    /// <exception cref="LoraFolderException">A folder does not exist or cannot be read.</exception>
    public static ResolvedLoras Resolve(PictureRequest request, Func<string, ICollection<string>, LoraEntry> find)
    {
        // Null members are refused by the request's rules.
        if (request is not { Prompt: not null, Loras: not null, PromptSyntax: PromptSyntax.A1111 })
            return new ResolvedLoras(request!, []);
        var resolution = new Resolution(find);
        PictureRequest resolved = resolution.OfFirstPass(request);
        return new ResolvedLoras(resolution.OfSecondPass(request, resolved), [.. resolution.Notices.Distinct()]);
    }

    // The look-up of the tags of one request.
    private sealed class Resolution(Func<string, ICollection<string>, LoraEntry> find)
    {
        public List<string> Notices { get; } = [];

        public PictureRequest OfFirstPass(PictureRequest request)
        {
            if (request.HasFinalLoras || Read(request.Prompt, "prompt") is not { Length: > 0 } loras) return request;
            return request with { Loras = [.. request.Loras, .. loras], HasFinalLoras = true };
        }

        // "request" is as it was, and "first" has the LoRAs of the first pass.
        public PictureRequest OfSecondPass(PictureRequest request, PictureRequest first)
        {
            if (first.Hires is not { } pass) return first;
            if (pass.Prompt is { } prompt) return pass.HasFinalLoras ? first : OfPrompt(prompt, first, pass);
            // Both passes have one prompt.
            bool isResolved = pass.Loras is null || ReferenceEquals(first, request);
            return isResolved ? first : first with { Hires = pass with { Loras = [.. pass.Loras!, .. OfPromptIn(first.Loras)] } };
        }

        private PictureRequest OfPrompt(string prompt, PictureRequest first, HiresPass pass)
        {
            PictureLora[] named = Read(prompt, "prompt of the second pass");
            if (named.Length == 0 && !OfPromptIn(first.Loras).Any()) return first;
            PictureLora[] loras = [.. pass.Loras ?? first.Loras.Where(lora => !lora.IsFromPrompt), .. named];
            bool isSame = pass.Loras is null && loras.SequenceEqual(first.Loras);
            return first with { Hires = pass with { Loras = isSame ? null : loras, HasFinalLoras = true } };
        }

        private PictureLora[] Read(string prompt, string name)
        {
            IReadOnlyList<LoraTag> tags = LoraTags.Read(PromptComments.Strip(prompt, PromptSyntax.A1111), name);
            PictureLora[] loras = [.. tags.Select(Find)];
            foreach (IGrouping<string, LoraTag> same in tags.GroupBy(tag => tag.Name).Where(same => same.Count() > 1))
                Notices.Add($"The {name} names the LoRA '{same.Key}' {same.Count()} times. All of them are added up.");
            return loras;
        }

        private PictureLora Find(LoraTag tag)
        {
            LoraEntry entry = find(tag.Name, Notices);
            foreach (string unread in tag.Unread)
                Notices.Add($"'{unread}' in the tag of the LoRA '{tag.Name}' is not read: the LoRA is used without it.");
            return new PictureLora
            {
                Path = entry.Path,
                Strength = tag.Strength,
                TextStrength = tag.TextStrength == tag.Strength ? null : tag.TextStrength,
                IsFromPrompt = true,
            };
        }

        private static IEnumerable<PictureLora> OfPromptIn(IReadOnlyList<PictureLora> loras) => loras.Where(lora => lora.IsFromPrompt);
    }
}

/// <summary>A request whose LoRAs are all known.</summary>
/// <param name="Request">The request.</param>
/// <param name="Notices">What the user should know.</param>
internal sealed record ResolvedLoras(PictureRequest Request, IReadOnlyList<string> Notices);

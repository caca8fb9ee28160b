using MuseAtelier.Adapters;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Looks up the LoRAs that a program's text names.</summary>
/// <param name="folder">The folders.</param>
internal sealed class ParsedLoras(LoraFolder folder)
{
    private readonly List<string> _notices = [];

    /// <summary>What the user should know about the files that were found.</summary>
    public IReadOnlyList<string> Notices => _notices;

    /// <summary>
    /// The request with its LoRAs: those of the prompt's tags, and those that the text names elsewhere. Where the text has a digest, a file
    /// that states this digest is taken whatever it is called, as AUTOMATIC1111 does (extensions-builtin/Lora/scripts/lora_script.py,
    /// infotext_pasted); a file of that name with another digest is taken with a notice.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="loras">The LoRAs that the text names.</param>
    /// <exception cref="PictureRequestException">A tag cannot be read, or a name is not found.</exception>
    /// <exception cref="LoraFolderException">A folder cannot be read.</exception>
    public PictureRequest ApplyTo(PictureRequest request, IReadOnlyList<ParsedLora> loras)
    {
        PictureLora[] named = [.. loras.Where(lora => lora is { IsInPrompt: false, IsOfSecondPass: false }).Select(Find)];
        PictureLora[] later = [.. loras.Where(lora => lora is { IsInPrompt: false, IsOfSecondPass: true }).Select(Find)];
        var hashes = loras.Where(lora => lora is { IsInPrompt: true, Hash: not null })
            .DistinctBy(lora => lora.Name).ToDictionary(lora => lora.Name, lora => lora.Hash!, StringComparer.Ordinal);
        ResolvedLoras resolved = LoraPrompts.Resolve(request, (name, notices) => Find(name, hashes.GetValueOrDefault(name), notices));
        foreach (string notice in resolved.Notices) Say(notice);
        HiresPass? pass = resolved.Request.Hires;
        // A text that names LoRAs of the second pass apart has an empty list for them. Tags of its prompt alone replace those of the first.
        bool isApart = request.Hires?.Loras is not null;
        if (pass?.Loras is { } known) pass = pass with { Loras = [.. isApart ? later : named, .. known] };
        return resolved.Request with { Loras = [.. named, .. resolved.Request.Loras], Hires = pass };
    }

    private PictureLora Find(ParsedLora lora) => new()
    {
        Path = Find(lora.Name, lora.Hash, _notices).Path,
        Strength = lora.Strength,
        TextStrength = lora.TextStrength,
    };

    private LoraEntry Find(string name, string? hash, ICollection<string> notices)
    {
        if (hash is null) return folder.Find(name, notices);
        IReadOnlyList<LoraEntry> matches = folder.Matches(name);
        if (matches.FirstOrDefault(match => match.States(hash)) is { } stated) return stated;
        if (matches.FirstOrDefault(match => match.HasDigest(hash)) is { } known) return known;
        if (folder.Current.Entries.FirstOrDefault(entry => entry.States(hash)) is { } renamed)
        {
            notices.Add($"The LoRA '{name}' is called '{renamed.Name}' here; it has the digest that the text names.");
            return renamed;
        }

        LoraEntry found = folder.Find(name, notices);
        notices.Add($"The LoRA '{name}' has another digest than the text names ({hash}), so the picture may differ.");
        return found;
    }

    private void Say(string notice)
    {
        if (!_notices.Contains(notice)) _notices.Add(notice);
    }
}

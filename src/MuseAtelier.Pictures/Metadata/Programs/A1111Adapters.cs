using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// LoRAs and embeddings in texts of AUTOMATIC1111's form: tags in the prompt, and the first digits of their digests in the settings
/// (AUTOMATIC1111, extensions-builtin/Lora/extra_networks_lora.py, activate; modules/sd_hijack_clip.py, forward).
/// </summary>
internal static class A1111Adapters
{
    public const string
        LoraHashes = "Lora hashes",
        EmbeddingHashes = "TI hashes";

    /// <summary>The word for no LoRAs in the setting of a second pass.</summary>
    public const string None = "none";

    // AUTOMATIC1111 has twelve digits of both (extensions-builtin/Lora/network.py and modules/textual_inversion, set_hash).
    private const int ShortDigits = 12;
    private const int LeastDigits = 8;
    private const int MostDigits = 64;

    /// <summary>
    /// The tags of the LoRAs that the request names beside the prompt, for the end of a prompt in AUTOMATIC1111's syntax. Nothing in other
    /// syntaxes, where tags are text.
    /// </summary>
    public static string TagsOf(PictureRequest request) => request.PromptSyntax == PromptSyntax.A1111 ? Tags(request.Loras) : "";

    /// <summary>
    /// The prompt of a request's second pass with the tags of the LoRAs that it names beside the prompt; null where it is that of the
    /// first pass. AUTOMATIC1111 paints the second pass with the tags of this prompt alone.
    /// </summary>
    public static string? SecondPromptOf(PictureRequest request)
    {
        if (request.Hires is not { } pass) return null;
        string first = TagsOf(request), tags = TagsOf(HiresRules.SecondPassOf(request));
        if (pass.Prompt is null && tags == first) return null;
        return PromptComments.Strip(pass.Prompt ?? request.Prompt, request.PromptSyntax) + tags;
    }

    /// <summary>The same tags, for a setting of this project, in the syntaxes where they are text in the prompt.</summary>
    public static string OwnTagsOf(PictureRequest request) => request.PromptSyntax == PromptSyntax.A1111 ? "" : Tags(request.Loras);

    /// <summary>
    /// The tags of the LoRAs of a second pass that has others than the first, for a setting of this project; null where it has the same.
    /// </summary>
    public static string? OwnTagsOfSecondPass(PictureRequest request) =>
        request.PromptSyntax == PromptSyntax.A1111 || request.Hires?.Loras is not { } loras ? null
            : loras.Count == 0 ? None : Tags(loras);

    /// <summary>The digests of all LoRAs and embeddings whose digests are known.</summary>
    public static IEnumerable<(string Name, string Value)> SettingsOf(PictureRequest request, IReadOnlyList<UsedEmbedding> embeddings)
    {
        IEnumerable<(string, string?)> named = Hashes(request);
        if (request.Hires is { Loras: not null }) named = named.Concat(Hashes(HiresRules.SecondPassOf(request)));
        string loras = Join(named);
        if (loras.Length > 0) yield return (LoraHashes, loras);
        string used = Join(embeddings.Select(embedding => (embedding.Name, (string?)embedding.Sha256)));
        if (used.Length > 0) yield return (EmbeddingHashes, used);
    }

    /// <summary>Reads <c>name: digest, name: digest</c>; what has another form is left out.</summary>
    public static void TakeHashes(RequestDraft draft, string value)
    {
        foreach (string pair in value.Split(',', StringSplitOptions.TrimEntries))
        {
            int colon = pair.LastIndexOf(':');
            string hash = pair[(colon + 1)..].Trim();
            // Eight digits and more are digests of files; shorter ones tell nothing.
            bool isPair = colon > 0 && hash.Length is >= LeastDigits and <= MostDigits && hash.All(char.IsAsciiHexDigit);
            if (isPair && draft.LoraHashes.Count < LoraRules.Most) draft.LoraHashes[pair[..colon].Trim()] = hash.ToLowerInvariant();
        }
    }

    /// <summary>Takes the tags in a setting of this project, which texts in other syntaxes have.</summary>
    /// <param name="draft">Receives the LoRAs.</param>
    /// <param name="value">The value.</param>
    /// <param name="isOfSecondPass">Whether they are those of the second pass.</param>
    /// <returns>Whether they can be read.</returns>
    public static bool TakeTags(RequestDraft draft, string value, bool isOfSecondPass = false)
    {
        try
        {
            IReadOnlyList<LoraTag> tags = LoraTags.Read(value, OwnSettings.Loras);
            if (tags.Count is 0 or > LoraRules.Most) return false;
            foreach (LoraTag tag in tags)
            {
                draft.Loras.Add(new ParsedLora(tag.Name)
                {
                    Strength = tag.Strength,
                    TextStrength = tag.TextStrength == tag.Strength ? null : tag.TextStrength,
                    IsOfSecondPass = isOfSecondPass,
                });
            }

            return true;
        }
        catch (LoraTagException)
        {
            return false;
        }
    }

    private static string Tags(IReadOnlyList<PictureLora> loras) => string.Concat(loras
        .Where(lora => !lora.IsFromPrompt && LoraTag.CanName(lora.Name))
        .Select(lora => LoraTag.Write(lora.Name, lora.Strength, lora.TextStrength ?? lora.Strength)));

    private static IEnumerable<(string Name, string? Digest)> Hashes(PictureRequest request) =>
        request.Loras.Zip(NamesOf(request), (lora, name) => (name, lora.ShortHash));

    // A LoRA of the prompt has the name in its tag, which may be an alias.
    private static IEnumerable<string> NamesOf(PictureRequest request)
    {
        var tags = new Queue<string>(LoraTags.NamesIn(PromptComments.Strip(request.Prompt, request.PromptSyntax)));
        foreach (PictureLora lora in request.Loras)
            yield return lora.IsFromPrompt && tags.TryDequeue(out string? name) ? name : lora.Name;
    }

    private static string Join(IEnumerable<(string Name, string? Digest)> files) => string.Join(", ", files
        .Where(file => file.Digest is { Length: >= ShortDigits })
        .Select(file => $"{Plain(file.Name)}: {file.Digest![..ShortDigits]}")
        .Distinct());

    /// <summary>A name as AUTOMATIC1111 writes it beside a digest: without the characters that part the names.</summary>
    public static string Plain(string name) =>
        name.Replace(":", "", StringComparison.Ordinal).Replace(",", "", StringComparison.Ordinal);
}

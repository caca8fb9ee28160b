using MuseAtelier.Server.Adapters;

namespace MuseAtelier.Server.Requests;

/// <summary>Reads the members <c>loras</c> of a request and of its second pass, and makes the tags of their prompts LoRAs.</summary>
/// <param name="catalog">The LoRAs.</param>
internal sealed class LoraFields(LoraCatalog catalog)
{
    /// <summary>The most LoRAs of a request.</summary>
    public const int Most = LoraRules.Most;

    /// <summary>The largest strength, of either sign.</summary>
    public const float LargestStrength = LoraRules.LargestStrength;

    private const int LongestName = 256, DigestLength = 64;

    private static readonly string[] Known = ["name", "strength", "textStrength", "sha256"];

    /// <summary>A request with its LoRAs: those that it names, and behind them those of its prompt; and those of its second pass.</summary>
    /// <param name="fields">The request's members.</param>
    /// <param name="request">The request so far; what it has of its basis is replaced.</param>
    /// <param name="basis">The request's basis; null if it has none.</param>
    /// <exception cref="ServerRequestException">A LoRA is refused, or is not there.</exception>
    public PictureRequest Read(RequestFields fields, PictureRequest request, PictureRequest? basis)
    {
        IReadOnlyList<PictureLora> recorded = basis?.Loras ?? [];
        PictureLora[] named = ReadList(fields) ?? Again(recorded, areOfPrompt: false);
        bool isSamePrompt = basis is not null && basis.HasFinalLoras
            && (basis.Prompt, basis.PromptSyntax) == (request.Prompt, request.PromptSyntax);
        // The tags of a record are the files that they were.
        PictureLora[] ofPrompt = isSamePrompt ? Again(recorded, areOfPrompt: true) : [];
        request = request with { Loras = [.. named, .. ofPrompt], HasFinalLoras = isSamePrompt };
        return catalog.Resolve(request.Hires is { } pass ? request with { Hires = ReadPass(fields, request, pass, basis) } : request);
    }

    private HiresPass ReadPass(RequestFields fields, PictureRequest request, HiresPass pass, PictureRequest? basis)
    {
        PictureLora[]? named = fields.Inner(HiresFields.Name, HiresFields.Known) is { } own ? ReadList(own)
            : pass.Loras is { } known ? Again(known, areOfPrompt: false)
            : null;
        // A second pass without a prompt of its own has the tags of the first one.
        bool isSamePrompt = pass.Prompt is null ? request.HasFinalLoras
            : basis?.Hires is { HasFinalLoras: true } before
                && (before.Prompt, basis.PromptSyntax) == (pass.Prompt, request.PromptSyntax);
        if (!isSamePrompt) return pass with { Loras = named, HasFinalLoras = false };
        IReadOnlyList<PictureLora> recorded = basis!.Hires is null ? basis.Loras : HiresRules.SecondPassOf(basis).Loras;
        PictureLora[] loras =
            [.. named ?? request.Loras.Where(lora => !lora.IsFromPrompt), .. Again(recorded, areOfPrompt: true)];
        bool isSame = named is null && loras.SequenceEqual(request.Loras);
        return pass with { Loras = isSame ? null : loras, HasFinalLoras = pass.Prompt is not null };
    }

    private PictureLora[] Again(IReadOnlyList<PictureLora> recorded, bool areOfPrompt) =>
        [.. recorded.Where(lora => lora.IsFromPrompt == areOfPrompt).Select(catalog.Again)];

    private PictureLora[]? ReadList(RequestFields fields) =>
        fields.Items(LoraFieldNames.List, Most, Known) is { } items ? [.. items.Select(Read)] : null;

    private PictureLora Read(RequestFields fields)
    {
        string name = fields.Text("name", LongestName) ?? throw Problems.BadValue(
            fields.PathOf("name"), "a LoRA has no name", "a name of GET /api/v1/loras", "Send one.");
        PictureLora found = catalog.Find(name, fields.PathOf("name"));
        if (fields.Text("sha256", DigestLength) is { } digest && digest != found.Sha256) throw LoraProblems.Changed(found.Name);
        return found with { Strength = StrengthOf(fields, "strength") ?? 1, TextStrength = StrengthOf(fields, "textStrength") };
    }

    private static float? StrengthOf(RequestFields fields, string name)
    {
        if (fields.Number(name) is not { } strength) return null;
        if (Math.Abs(strength) <= LargestStrength) return strength;
        throw Problems.BadValue(
            fields.PathOf(name),
            FormattableString.Invariant($"{fields.PathOf(name)} is {strength}"),
            FormattableString.Invariant($"a number from {-LargestStrength} to {LargestStrength}"),
            "The usual strength is 1.");
    }
}

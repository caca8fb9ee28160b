using MuseAtelier.Server.Adapters;

namespace MuseAtelier.Server.Requests;

/// <summary>Reads the member <c>loras</c> of a request, and makes the tags of its prompt LoRAs.</summary>
/// <param name="shelf">The LoRAs.</param>
internal sealed class LoraFields(LoraShelf shelf)
{
    /// <summary>The most LoRAs of a request.</summary>
    public const int Most = LoraRules.Most;

    /// <summary>The largest strength, of either sign.</summary>
    public const float LargestStrength = LoraRules.LargestStrength;

    private const int LongestName = 256, DigestLength = 64;

    private static readonly string[] Known = ["name", "strength", "textStrength", "sha256"];

    /// <summary>A request with its LoRAs: those that it names, and behind them those of its prompt.</summary>
    /// <param name="fields">The request's members.</param>
    /// <param name="request">The request so far; what it has of its basis is replaced.</param>
    /// <param name="basis">The request's basis; null if it has none.</param>
    /// <exception cref="ServerRequestException">A LoRA is refused, or is not there.</exception>
    public PictureRequest Read(RequestFields fields, PictureRequest request, PictureRequest? basis)
    {
        IReadOnlyList<PictureLora> recorded = basis?.Loras ?? [];
        IEnumerable<PictureLora> named = fields.Items(LoraFieldNames.List, Most, Known) is { } items
            ? items.Select(Read)
            : recorded.Where(lora => !lora.IsFromPrompt).Select(shelf.Again);
        bool isSamePrompt = basis is not null && basis.HasFinalLoras
            && (basis.Prompt, basis.PromptSyntax) == (request.Prompt, request.PromptSyntax);
        // The tags of a record are the files that they were.
        IEnumerable<PictureLora> ofPrompt = isSamePrompt ? recorded.Where(lora => lora.IsFromPrompt).Select(shelf.Again) : [];
        return shelf.Resolve(request with { Loras = [.. named, .. ofPrompt], HasFinalLoras = isSamePrompt });
    }

    private PictureLora Read(RequestFields fields)
    {
        string name = fields.Text("name", LongestName) ?? throw Problems.BadValue(
            fields.PathOf("name"), "a LoRA has no name", "a name of GET /api/v1/loras", "Send one.");
        PictureLora found = shelf.Find(name, fields.PathOf("name"));
        if (fields.Text("sha256", DigestLength) is { } digest && digest != found.Sha256) throw LoraProblems.Changed(LoraNames.Of(found));
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

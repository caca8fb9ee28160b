using System.Globalization;
using MuseAtelier.Conditioning;
using MuseAtelier.Packages;

namespace MuseAtelier.Tests.Support;

/// <summary>Prompts of several parts and sets, in the notation of AUTOMATIC1111, as far as tests of the pipeline need it.</summary>
internal static class WrittenPrompts
{
    /// <summary>
    /// Reads <c>a AND b:0.6</c>, and versions of a whole prompt that change in every step (<c>[a|b]</c>) or once (<c>[a:b:0.5]</c>).
    /// </summary>
    public static RequestPrompts Of(PictureRequest request)
    {
        (string[] versions, int[] setOfStep) = Versions(request);
        List<PromptSet> sets = [];
        float[] weights = [1];
        foreach (string version in versions)
        {
            (string Text, float Weight)[] parts = [.. version.Split(" AND ").Select(Part)];
            weights = [.. parts.Select(part => part.Weight)];
            bool hasNegative = request.IsGuided || parts.Length > 1;
            sets.Add(new PromptSet(
                hasNegative ? Chunks(request.NegativePrompt) : null, [.. parts.Select(part => Chunks(part.Text))]));
        }

        int longest = sets.Max(set => set.Parts.Append(set.Negative ?? set.Parts[0]).Max(prompt => prompt.Count));
        sets = [.. sets.Select(set => new PromptSet(set.Negative?.PadTo(longest), [.. set.Parts.Select(part => part.PadTo(longest))]))];
        return new RequestPrompts(sets, setOfStep, weights, []);
    }

    private static (string[] Versions, int[] SetOfStep) Versions(PictureRequest request)
    {
        string text = request.Prompt;
        if (!text.StartsWith('[')) return ([text], new int[request.Steps]);
        text = text[1..^1];
        if (text.Contains('|', StringComparison.Ordinal))
        {
            string[] versions = text.Split('|');
            return (versions, [.. Enumerable.Range(0, request.Steps).Select(step => step % versions.Length)]);
        }

        string[] halves = text.Split(':');
        double share = double.Parse(halves[2], CultureInfo.InvariantCulture);
        return (halves[..2], [.. Enumerable.Range(0, request.Steps).Select(step => step < share * request.Steps ? 0 : 1)]);
    }

    private static (string Text, float Weight) Part(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon < 0 ? (text, 1) : (text[..colon], float.Parse(text[(colon + 1)..], CultureInfo.InvariantCulture));
    }

    private static PromptChunks Chunks(string text) => PreparedPrompt.Of(text, "prompt", PromptSyntax.A1111).Chunks;
}

using System.Globalization;
using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Reads the nodes of a ComfyUI graph that lead from texts to a sampler. Concatenated conditionings are AUTOMATIC1111's <c>BREAK</c>, and
/// combined ones, whose predictions ComfyUI averages, its <c>AND</c> with equal weights.
/// </summary>
/// <param name="nodes">The graph.</param>
/// <param name="draft">Receives the settings.</param>
/// <param name="skip">Names what is not taken; the same words once.</param>
internal sealed class ComfyConditioning(ComfyNodes nodes, RequestDraft draft, Action<string> skip)
{
    private const int DeepestNode = ComfyNodes.LongestChain;

    // Joined texts can double at every node of a hostile graph.
    private const int MostParts = 64;

    // The input names of nodes that change a conditioning.
    private static readonly string[] ConditioningNames = ["conditioning", "conditioning_1", "conditioning_to", "positive"];

    private int _parts;
    private long _letters;
    private bool _isJoined;
    private MicroConditioning? _negativeSizes;

    /// <summary>Takes the prompts of a sampler's node or of its guider's.</summary>
    /// <param name="node">The node.</param>
    /// <returns>Why they cannot be taken; null if they were.</returns>
    public string? Take(JsonElement node)
    {
        string[]? prompt = Read(nodes.Follow(node, "positive", "conditioning"), isNegative: false, 0);
        if (prompt is null) return "the prompt of its KSampler comes from unknown nodes";
        // A guider without a negative prompt has no guidance.
        bool hasNegative = nodes.Follow(node, "negative") is not null;
        string[]? negative = hasNegative ? Read(nodes.Follow(node, "negative"), isNegative: true, 0) : [""];
        if (negative is null) return "the negative prompt of its KSampler comes from unknown nodes";
        if (_isJoined || prompt.Length > 1) BecomeA1111(prompt, negative);
        if (negative.Length > 1) skip("all parts of the negative prompt but the first one");
        draft.Prompt = prompt.Length == 1 ? prompt[0] : string.Join(" AND ", prompt.Select(part => Weighted(part, prompt.Length)));
        draft.Negative = negative[0];
        NameOtherSizes(hasNegative && negative[0].Length > 0);
        return null;
    }

    private string[]? Read(JsonElement? node, bool isNegative, int depth)
    {
        if (node is not { } here || depth == DeepestNode || ++_parts > MostParts) return null;
        string kind = ComfyNodes.Class(here);
        switch (kind)
        {
            case "CLIPTextEncode":
                if (!isNegative) TakeClip(here);
                return Single(nodes.Text(here, "text"));
            case "CLIPTextEncodeSDXL":
                if (!isNegative) TakeClip(here);
                if (isNegative) _negativeSizes ??= SizesOf(here);
                else draft.Conditioning ??= SizesOf(here);
                (string? general, string? local) = (nodes.Text(here, "text_g"), nodes.Text(here, "text_l"));
                if (general != local && local is not null) skip($"text_l: {local}");
                return Single(general);
            case "ConditioningZeroOut" when isNegative:
                draft.EmptyNegative = EmptyNegative.Zeros;
                return [""];
            case "ConditioningConcat":
                return Concat(here, isNegative, depth);
            case "ConditioningCombine":
                string[]? first = Read(nodes.Follow(here, "conditioning_1"), isNegative, depth + 1);
                string[]? second = Read(nodes.Follow(here, "conditioning_2"), isNegative, depth + 1);
                return first is null || second is null ? null : [.. first, .. second];
            default:
                skip($"node {kind}");
                return Read(nodes.Follow(here, ConditioningNames), isNegative, depth + 1);
        }
    }

    // ComfyUI appends the first part of what it concatenates to every part.
    private string[]? Concat(JsonElement node, bool isNegative, int depth)
    {
        string[]? to = Read(nodes.Follow(node, "conditioning_to"), isNegative, depth + 1);
        string[]? from = Read(nodes.Follow(node, "conditioning_from"), isNegative, depth + 1);
        if (to is null || from is null) return null;
        _isJoined = true;
        _letters += to.Sum(part => (long)part.Length + from[0].Length);
        return _letters > ParametersText.Longest ? null : [.. to.Select(part => $"{part} BREAK {from[0]}")];
    }

    private static string[]? Single(string? text) => text is null ? null : [text];

    // Square brackets are text in ComfyUI.
    private void BecomeA1111(string[] prompt, string[] negative)
    {
        draft.PromptSyntax = PromptSyntax.A1111;
        draft.CommaBacktrack = 0;
        bool isWeighted = false;
        foreach (string[] parts in (string[][])[prompt, negative])
        {
            for (int i = 0; i < parts.Length; i++)
            {
                isWeighted |= parts[i].Replace("\\(", "", StringComparison.Ordinal).Contains('(', StringComparison.Ordinal);
                parts[i] = parts[i].Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal);
            }
        }

        if (isWeighted)
            draft.Notice("Joined prompts are painted in AUTOMATIC1111's syntax, in which weights act in another way than in ComfyUI.");
    }

    private static string Weighted(string part, int parts) =>
        string.Create(CultureInfo.InvariantCulture, $"{part.Trim()} :{1f / parts:0.######}");

    private MicroConditioning? SizesOf(JsonElement node)
    {
        if (nodes.Whole(node, "width") is not { } width || nodes.Whole(node, "height") is not { } height) return null;
        return new MicroConditioning(
            width,
            height,
            nodes.Whole(node, "crop_w") ?? 0,
            nodes.Whole(node, "crop_h") ?? 0,
            nodes.Whole(node, "target_width") ?? width,
            nodes.Whole(node, "target_height") ?? height);
    }

    // A request has one size conditioning for both prompts. ComfyUI's default is the picture's own size.
    private void NameOtherSizes(bool hasNegative)
    {
        if (draft.Width is not { } width || draft.Height is not { } height) return;
        var own = new MicroConditioning(width, height, 0, 0, width, height);
        if (draft.Conditioning == own) draft.Conditioning = null;
        bool differ = (_negativeSizes ?? own) != (draft.Conditioning ?? own);
        if (hasNegative && differ) skip("the negative prompt's own size conditioning");
    }

    private void TakeClip(JsonElement node)
    {
        JsonElement? clip = nodes.Follow(node, "clip");
        for (int i = 0; i < ComfyNodes.LongestChain && clip is { } here; i++)
        {
            bool isLast = ComfyNodes.Class(here) == "CLIPSetLastLayer";
            if (isLast && nodes.Whole(here, "stop_at_clip_layer") is { } layer)
                draft.TakeClipSkip("stop_at_clip_layer", layer.ToString(CultureInfo.InvariantCulture));
            if (isLast) return;
            clip = nodes.Follow(here, "clip");
        }
    }
}

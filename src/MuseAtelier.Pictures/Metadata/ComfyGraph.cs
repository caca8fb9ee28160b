using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Reads a graph of ComfyUI (its <c>prompt</c>, nodes by number) that uses the standard nodes: one sampler that begins with an empty
/// picture, and its inputs. Unknown nodes that change the picture are named.
/// </summary>
internal sealed class ComfyGraph
{
    /// <summary>The most links that are followed, because a graph may contain a cycle.</summary>
    private const int LongestChain = 32;

    // The input names of nodes that only hold a value.
    private static readonly string[] ValueNames =
        ["value", "text", "string", "seed", "int", "float", "number", "Text", "Value", "noise_seed"];

    // The input names of nodes that change a conditioning.
    private static readonly string[] ConditioningNames = ["conditioning", "conditioning_1", "conditioning_to", "positive"];

    private readonly Dictionary<string, JsonElement> _nodes = new(StringComparer.Ordinal);
    private readonly RequestDraft _draft = new(Programs.ComfyUi) { Noise = NoiseSource.Comfy, EmptyNegative = EmptyNegative.Encoded };

    private ComfyGraph(JsonElement nodes)
    {
        // JsonElement searches linearly for a name, so the nodes are indexed once.
        foreach (JsonProperty node in nodes.EnumerateObject()) _nodes[node.Name] = node.Value;
    }

    /// <summary>Whether JSON is a graph of ComfyUI.</summary>
    public static bool Is(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) return false;
        int nodes = 0;
        foreach (JsonProperty member in json.EnumerateObject())
        {
            if (ForeignJson.Member(member.Value, "class_type") is null) return false;
            nodes++;
        }

        return nodes > 0;
    }

    /// <summary>Reads a graph.</summary>
    /// <param name="path">Path of the picture, for messages.</param>
    /// <param name="nodes">The graph.</param>
    /// <exception cref="PictureTextUnpaintableException">The graph does not use the standard nodes.</exception>
    public static RequestDraft Read(string path, JsonElement nodes)
    {
        var graph = new ComfyGraph(nodes);
        JsonElement[] samplers = [.. graph._nodes.Values.Where(node => Class(node) is "KSampler" or "KSamplerAdvanced")];
        JsonElement[] starts = [.. samplers.Where(sampler => graph.Follow(sampler, "latent_image") is { } latent
            && Class(latent).StartsWith("Empty", StringComparison.Ordinal))];
        if (starts.Length == 0) throw new PictureTextUnpaintableException(path, Programs.ComfyUi,
            "no KSampler of its graph begins with an empty picture");
        if (starts.Length > 1) throw new PictureTextUnpaintableException(path, Programs.ComfyUi,
            "more than one KSampler of its graph begins with an empty picture");
        if (samplers.Length > 1) graph._draft.Skip("further KSampler nodes, which repaint the picture of the first one");
        graph.TakeSampler(path, starts[0]);
        return graph._draft;
    }

    private void TakeSampler(string path, JsonElement sampler)
    {
        _draft.Seed = Number(sampler, "seed", "noise_seed") is { } seed && seed.TryGetUInt64(out ulong number) ? number : null;
        _draft.Steps = Number(sampler, "steps") is { } steps && steps.TryGetInt32(out int count) ? count : null;
        _draft.Guidance = Number(sampler, "cfg") is { } cfg && cfg.TryGetSingle(out float scale) && float.IsFinite(scale) ? scale : null;
        if (Text(sampler, "sampler_name") is { } name) _draft.TakeSampler("sampler_name", name);
        if (Text(sampler, "scheduler") is { } schedule) _draft.TakeSchedule("scheduler", schedule);
        if (Number(sampler, "denoise") is { } denoise && !(denoise.TryGetDouble(out double strength) && strength == 1))
            _draft.Skip("denoise", denoise.GetRawText());
        if (Number(sampler, "start_at_step") is { } start && start.GetRawText() != "0") _draft.Skip("start_at_step", start.GetRawText());
        JsonElement latent = Follow(sampler, "latent_image")!.Value;
        if (Number(latent, "width") is { } width && width.TryGetInt32(out int w) && Number(latent, "height") is { } height
            && height.TryGetInt32(out int h)) (_draft.Width, _draft.Height) = (w, h);
        _draft.Prompt = Conditioning(Follow(sampler, "positive"), isNegative: false)
            ?? throw new PictureTextUnpaintableException(path, Programs.ComfyUi,
                "the prompt of its KSampler comes from unknown nodes");
        _draft.Negative = Conditioning(Follow(sampler, "negative"), isNegative: true)
            ?? throw new PictureTextUnpaintableException(path, Programs.ComfyUi,
                "the negative prompt of its KSampler comes from unknown nodes");
        TakeModel(Follow(sampler, "model"));
    }

    // The text of a conditioning. Names every node that changes the conditioning.
    private string? Conditioning(JsonElement? node, bool isNegative)
    {
        for (int i = 0; i < LongestChain && node is { } here; i++)
        {
            string kind = Class(here);
            switch (kind)
            {
                case "CLIPTextEncode":
                    TakeClip(Follow(here, "clip"));
                    return Text(here, "text");
                case "CLIPTextEncodeSDXL":
                    TakeClip(Follow(here, "clip"));
                    if (!isNegative) TakeSizes(here);
                    (string? general, string? local) = (Text(here, "text_g"), Text(here, "text_l"));
                    if (general != local && local is not null) _draft.Skip("text_l", local);
                    return general;
                case "ConditioningZeroOut" when isNegative:
                    _draft.EmptyNegative = EmptyNegative.Zeros;
                    return "";
                default:
                    _draft.Skip($"node {kind}");
                    node = Follow(here, ConditioningNames);
                    break;
            }
        }

        return null;
    }

    private void TakeSizes(JsonElement node)
    {
        int? Side(string name) => Number(node, name) is { } number && number.TryGetInt32(out int side) ? side : null;
        if (Side("width") is { } width && Side("height") is { } height)
            _draft.Conditioning = new MicroConditioning(width, height, Side("crop_w") ?? 0, Side("crop_h") ?? 0, Side("target_width")
                ?? width, Side("target_height") ?? height);
    }

    private void TakeClip(JsonElement? node)
    {
        if (node is { } clip && Class(clip) == "CLIPSetLastLayer" && Number(clip, "stop_at_clip_layer") is { } layer)
            _draft.TakeClipSkip("stop_at_clip_layer", layer.GetRawText());
    }

    private void TakeModel(JsonElement? node)
    {
        for (int i = 0; i < LongestChain && node is { } here; i++)
        {
            if (Text(here, "ckpt_name") is { } name)
            {
                _draft.ModelName = SamplerNames.Model(name);
                return;
            }

            string? lora = Text(here, "lora_name");
            _draft.Skip(lora is null ? $"node {Class(here)}" : $"{Class(here)}: {lora}");
            node = Follow(here, "model");
        }
    }

    // The node to which the first linked input of these names leads.
    private JsonElement? Follow(JsonElement node, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (TryInput(node, name, out JsonElement link) && Linked(link) is { } linked) return linked;
        return null;
    }

    private JsonElement? Linked(JsonElement link)
    {
        if (link.ValueKind != JsonValueKind.Array || link.GetArrayLength() != 2) return null;
        JsonElement number = link[0];
        string? id = number.ValueKind == JsonValueKind.String ? number.GetString() : number.ValueKind == JsonValueKind.Number
            ? number.GetRawText() : null;
        return id is not null && _nodes.TryGetValue(id, out JsonElement node) ? node : null;
    }

    private string? Text(JsonElement node, string name) => Value(node, [name]) is { ValueKind: JsonValueKind.String } value
        ? value.GetString() : null;

    private JsonElement? Number(JsonElement node, params ReadOnlySpan<string> names) =>
        Value(node, names) is { ValueKind: JsonValueKind.Number } value ? value : null;

    // The value of an input: its own, or that of the linked node that only holds a value.
    private JsonElement? Value(JsonElement node, ReadOnlySpan<string> names)
    {
        for (int i = 0; i < LongestChain; i++)
        {
            JsonElement? found = null;
            foreach (string name in names) if (found is null && TryInput(node, name, out JsonElement value)) found = value;
            if (found is not { ValueKind: JsonValueKind.Array } link) return found;
            if (Linked(link) is not { } next) return null;
            node = next;
            names = ValueNames;
        }

        return null;
    }

    private static bool TryInput(JsonElement node, string name, [NotNullWhen(true)] out JsonElement value)
    {
        value = default;
        return node.TryGetProperty("inputs", out JsonElement inputs) && inputs.ValueKind == JsonValueKind.Object
            && inputs.TryGetProperty(name, out value);
    }

    private static string Class(JsonElement node) => ForeignJson.Member(node, "class_type") ?? "";
}

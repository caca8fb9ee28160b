using System.Text.Json;
using static System.FormattableString;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Reads a graph of ComfyUI (its <c>prompt</c>, nodes by number) that uses the standard nodes: one sampler that begins with an empty
/// picture, and its inputs. Unknown nodes that change the picture are named.
/// </summary>
internal sealed class ComfyGraph
{
    // Each sampler's chain of nodes is followed, and an input is found in time linear in the number of its node's inputs.
    private const int MostSamplers = 64;

    private readonly RequestDraft _draft = new(Programs.ComfyUi);
    private readonly HashSet<string> _named = new(StringComparer.Ordinal);
    private readonly ComfyNodes _nodes;
    private readonly ComfySampling _sampling;

    private ComfyGraph(JsonElement nodes)
    {
        _nodes = new ComfyNodes(nodes);
        _sampling = new ComfySampling(_nodes, _draft);
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
        return graph.Read() is { } fault ? throw new PictureTextUnpaintableException(path, Programs.ComfyUi, fault) : graph._draft;
    }

    private string? Read()
    {
        JsonElement[] samplers = [.. _nodes.All.Where(IsSampler).Take(MostSamplers + 1)];
        if (samplers.Length > MostSamplers) return Invariant($"its graph has more than {MostSamplers} KSampler nodes");
        (JsonElement Sampler, JsonElement Latent)[] starts =
            [.. samplers.Select(sampler => (sampler, EmptyLatent(sampler, isNamed: false)))
                .Where(start => start.Item2 is not null).Select(start => (start.sampler, start.Item2!.Value))];
        if (starts.Length > 1) return "more than one KSampler of its graph begins with an empty picture";
        if (starts.Length == 0) return ReadEncoded(samplers);
        JsonElement start = starts[0].Sampler;
        EmptyLatent(start, isNamed: true);
        TakeLatent(starts[0].Latent);
        if (ReadFrom(start, out JsonElement guider) is { } fault) return fault;
        JsonElement[] others = [.. samplers.Where(sampler => EmptyLatent(sampler, isNamed: false) is null)];
        bool isSecondPass = others is [var second] && new ComfySecondPass(_nodes, _draft).Take(second, _nodes.Follow(guider, "model"));
        if (others.Length > 0 && !isSecondPass) _draft.Skip("further KSampler nodes, which repaint the picture of the first one");
        return null;
    }

    // A picture that is painted from a file.
    private string? ReadEncoded(JsonElement[] samplers)
    {
        var source = new ComfySource(_nodes, _draft, SkipOnce);
        JsonElement[] starts = [.. samplers.Where(source.Leads)];
        if (starts.Length == 0) return "no KSampler of its graph begins with an empty picture";
        if (starts.Length > 1) return "more than one KSampler of its graph begins with a picture from a file";
        if (samplers.Length > 1) _draft.Skip("further KSampler nodes, which repaint the picture of the first one");
        source.Take(starts[0]);
        return ReadFrom(starts[0], out _);
    }

    private string? ReadFrom(JsonElement start, out JsonElement guider)
    {
        guider = TakeSampler(start);
        var model = new ComfyModel(_nodes, _draft);
        if (new ComfyConditioning(_nodes, _draft, SkipOnce).Take(guider) is { } fault) return fault;
        model.Take(_nodes.Follow(guider, "model"));
        new ComfyLoras(_nodes, _draft).Take(guider);
        return null;
    }

    private static bool IsSampler(JsonElement node) =>
        ComfyNodes.Class(node) is "KSampler" or "KSamplerAdvanced" or "SamplerCustom" or "SamplerCustomAdvanced";

    // The empty picture with which a sampler begins. Nodes that repeat it or choose from it are named.
    private JsonElement? EmptyLatent(JsonElement sampler, bool isNamed)
    {
        JsonElement? node = _nodes.Follow(sampler, "latent_image");
        for (int i = 0; i < ComfyNodes.LongestChain && node is { } here; i++)
        {
            string kind = ComfyNodes.Class(here);
            if (kind.StartsWith("Empty", StringComparison.Ordinal) || kind.Contains("EmptyLatent", StringComparison.Ordinal)) return here;
            if (kind is not ("RepeatLatentBatch" or "LatentBatch" or "LatentFromBatch" or "LatentBatchSeedBehavior")) return null;
            if (isNamed) SkipOnce($"node {kind}");
            node = _nodes.Follow(here, "samples", "samples1");
        }

        return null;
    }

    private void TakeLatent(JsonElement latent)
    {
        if (_nodes.Whole(latent, "width") is { } width && _nodes.Whole(latent, "height") is { } height)
            (_draft.Width, _draft.Height) = (width, height);
        if (_nodes.Whole(latent, "batch_size") is > 1 and var pictures)
            _draft.Skip(Invariant($"batch_size: {pictures} (painted as the first picture)"));
    }

    // Returns the node with the inputs model, positive and negative.
    private JsonElement TakeSampler(JsonElement sampler)
    {
        string kind = ComfyNodes.Class(sampler);
        JsonElement guider = sampler;
        _draft.Seed = _nodes.Seed(sampler, "seed", "noise_seed");
        if (kind.StartsWith("KSampler", StringComparison.Ordinal))
        {
            TakeKSampler(sampler);
        }
        else
        {
            if (kind == "SamplerCustomAdvanced") guider = TakeGuider(sampler);
            if (_nodes.Follow(sampler, "sampler") is { } choice) _sampling.TakeSampler(choice);
            _sampling.TakeSigmas(_nodes.Follow(sampler, "sigmas"));
        }

        bool addsNoise = _nodes.Text(sampler, "add_noise") != "disable" && _nodes.Flag(sampler, "add_noise") != false;
        if (!addsNoise) _draft.Skip("add_noise: disable");
        _draft.Guidance ??= _nodes.Single(guider, "cfg");
        return guider;
    }

    private void TakeKSampler(JsonElement sampler)
    {
        _draft.Steps = _nodes.Whole(sampler, "steps");
        if (_nodes.Text(sampler, "sampler_name") is { } name) _draft.TakeSampler("sampler_name", name);
        if (_nodes.Text(sampler, "scheduler") is { } schedule) _draft.TakeSchedule("scheduler", schedule);
        bool isFromNoise = _draft.Source is null;
        if (isFromNoise && _nodes.Single(sampler, "denoise") is { } denoise && denoise != 1)
            _draft.Skip("denoise", ComfyNodes.Words(denoise));
        if (_nodes.Whole(sampler, "start_at_step") is { } start && start != 0) _draft.Skip(Invariant($"start_at_step: {start}"));
        if (_nodes.Whole(sampler, "end_at_step") is { } end && end < _draft.Steps)
            _draft.Skip(Invariant($"end_at_step: {end} (painted to the end)"));
    }

    private JsonElement TakeGuider(JsonElement sampler)
    {
        if (_nodes.Follow(sampler, "noise") is { } noise)
        {
            _draft.Seed = _nodes.Seed(noise, "noise_seed", "seed");
            if (ComfyNodes.Class(noise) != "RandomNoise") SkipOnce($"node {ComfyNodes.Class(noise)}");
        }

        if (_nodes.Follow(sampler, "guider") is not { } guider) return sampler;
        string kind = ComfyNodes.Class(guider);
        if (kind == "BasicGuider") _draft.Guidance = 1;
        else if (kind != "CFGGuider") SkipOnce($"node {kind}");
        return guider;
    }

    private void SkipOnce(string words)
    {
        if (_named.Add(words)) _draft.Skip(words);
    }
}

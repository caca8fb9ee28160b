using static System.FormattableString;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// The names by which LoRAs call the layers of a model, from the names of the model's own tensors. Names with underscores are looked up and
/// never parsed, because a layer's own name may have underscores too. (ComfyUI comfy/lora.py, model_lora_keys_unet and
/// model_lora_keys_clip; kohya sd-scripts networks/lora.py; SimpleTuner's lycoris_ names.)
/// </summary>
internal sealed class LoraNames
{
    private const string WeightEnd = ".weight";
    private const string BiasEnd = ".bias";
    private const string FirstConvolution = "input_blocks.0.0.weight";
    private const string TokenTable = "token_embedding.weight";
    private const string TransformersTable = "embeddings.token_embedding.weight";
    private static readonly string[] AttentionInputs = ["q", "k", "v"];

    // The layers of a block of open_clip and those of transformers. The stacked q, k and v are added apart.
    private static readonly (string Own, string Transformers)[] OpenClipLayers =
    [
        ("ln_1", "layer_norm1"),
        ("ln_2", "layer_norm2"),
        ("attn.out_proj", "self_attn.out_proj"),
        ("mlp.c_fc", "mlp.fc1"),
        ("mlp.c_proj", "mlp.fc2"),
    ];

    private readonly Dictionary<string, LoraLayer> _layers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _diffusers = new(StringComparer.Ordinal);

    /// <summary>Lists the names for a model.</summary>
    public LoraNames(ModelTensors tensors)
    {
        AddUNet(tensors.UNet);
        AddClipL(tensors.ClipL);
        AddClipG(tensors.ClipG);
    }

    /// <summary>The layer with a name; null where there is none.</summary>
    public LoraLayer? Find(string name)
    {
        // PEFT's own files begin with the name of its wrapper.
        const string Wrapper = "base_model.model.";
        string own = name.StartsWith(Wrapper, StringComparison.Ordinal) ? name[Wrapper.Length..] : name;
        return _layers.GetValueOrDefault(own);
    }

    /// <summary>Whether a name of a layer of the UNet is one of diffusers rather than one of the checkpoint.</summary>
    public bool IsDiffusers(string name) => _diffusers.Contains(name);

    private void AddUNet(IReadOnlyDictionary<string, ModelTensor> tensors)
    {
        if (PrefixOf(tensors, FirstConvolution) is not { } prefix) return;
        Dictionary<string, LoraLayer> layers = Layers(tensors, prefix, isText: false);
        var names = new UNetNames(layers.Keys);
        foreach ((string own, LoraLayer layer) in layers)
        {
            AddGeneric(prefix, own, layer);
            AddGeneric("diffusion_model.", own, layer);
            Add(Flat("lora_unet_", own), layer);
            Add(Flat("lycoris_", own), layer);
            if (names.Find(own) is { } diffusers) AddDiffusers(diffusers, layer);
        }
    }

    private void AddDiffusers(string name, LoraLayer layer)
    {
        // The spelling of the attention processors of early diffusers, without the index of to_out.0.
        string processor = name.Replace(".to_", ".processor.to_", StringComparison.Ordinal);
        if (processor.EndsWith(".to_out.0", StringComparison.Ordinal)) processor = processor[..^".0".Length];
        string[] all = [name, "unet." + name, processor, "unet." + processor, Flat("lora_unet_", name), Flat("lycoris_", name)];
        foreach (string each in all)
        {
            _diffusers.Add(each);
            Add(each, layer);
        }
    }

    private void AddClipL(IReadOnlyDictionary<string, ModelTensor> tensors)
    {
        if (PrefixOf(tensors, TransformersTable) is not { } prefix) return;
        Dictionary<string, LoraLayer> layers = Layers(tensors, prefix, isText: true);
        foreach ((string own, LoraLayer layer) in layers) AddClipL(prefix, own, layer);
        var unread = new LoraLayer(null, null, IsText: true) { IsUnread = true };
        foreach (string own in UnreadLayers(layers.Keys)) AddClipL(prefix, own, unread);
    }

    private void AddClipL(string prefix, string own, LoraLayer layer)
    {
        Add(prefix + own, layer);
        AddText("text_model." + own, layer, "text_encoder.", "clip_l", ["lora_te1_", "lora_te_"]);
    }

    // SDXL takes the hidden states of CLIP-L's penultimate block. The last block and the norm behind it, of which packages hold nothing,
    // have the names that follow from the first block.
    private static IEnumerable<string> UnreadLayers(IReadOnlyCollection<string> layers)
    {
        int blocks = 0;
        while (layers.Any(layer => layer.StartsWith(Block(blocks), StringComparison.Ordinal))) blocks++;
        if (blocks == 0) return [];
        return layers.Where(layer => layer.StartsWith(Block(0), StringComparison.Ordinal))
            .Select(layer => Block(blocks) + layer[Block(0).Length..]).Append("final_layer_norm");

        static string Block(int index) => Invariant($"encoder.layers.{index}.");
    }

    private void AddClipG(IReadOnlyDictionary<string, ModelTensor> tensors)
    {
        if (PrefixOf(tensors, TransformersTable) is { } own)
        {
            // Here the prefix ends in text_model., beside which the projection lies.
            string prefix = own.EndsWith("text_model.", StringComparison.Ordinal) ? own[..^"text_model.".Length] : own;
            foreach ((string name, LoraLayer layer) in Layers(tensors, prefix, isText: true)) AddClipG(prefix + name, name, layer);
        }
        else if (PrefixOf(tensors, TokenTable) is { } open) AddOpenClip(tensors, open);
    }

    private void AddOpenClip(IReadOnlyDictionary<string, ModelTensor> tensors, string prefix)
    {
        Dictionary<string, LoraLayer> layers = Layers(tensors, prefix, isText: true);
        foreach ((string own, LoraLayer layer) in layers) Add(prefix + own, layer);
        for (int block = 0; ; block++)
        {
            string start = Invariant($"transformer.resblocks.{block}."), name = Invariant($"text_model.encoder.layers.{block}.");
            if (!layers.ContainsKey(start + "attn.out_proj")) break;
            foreach ((string own, string transformers) in OpenClipLayers)
            {
                if (layers.TryGetValue(start + own, out LoraLayer? layer)) AddClipG(null, name + transformers, layer);
            }

            LoraTarget? weight = Target(tensors, prefix + start + "attn.in_proj_weight");
            LoraTarget? bias = Target(tensors, prefix + start + "attn.in_proj_bias");
            for (int part = 0; part < AttentionInputs.Length; part++)
            {
                var third = new LoraLayer(Third(weight, part), Third(bias, part), IsText: true);
                AddClipG(null, $"{name}self_attn.{AttentionInputs[part]}_proj", third);
            }
        }

        if (layers.TryGetValue("ln_final", out LoraLayer? final)) AddClipG(null, "text_model.final_layer_norm", final);
        if (layers.TryGetValue("text_projection", out LoraLayer? kept)) AddClipG(null, "text_projection", kept);
        // transformers' text_projection is a layer, and open_clip's tensor is its transpose.
        if (Target(tensors, prefix + "text_projection") is { } projection)
            AddClipG(null, "text_projection", new LoraLayer(projection with { IsTransposed = true }, null, IsText: true));
    }

    private void AddClipG(string? key, string name, LoraLayer layer)
    {
        if (key is not null) Add(key, layer);
        AddText(name, layer, "text_encoder_2.", "clip_g", ["lora_te2_"]);
    }

    private void AddText(string name, LoraLayer layer, string diffusers, string part, string[] flat)
    {
        Add(diffusers + name, layer);
        // The spelling of the attention processors of early diffusers: self_attn.to_q_lora.
        int end = name.EndsWith("_proj", StringComparison.Ordinal) ? name.LastIndexOf('.') + 1 : 0;
        if (end > 0) Add($"{diffusers}{name[..end]}to_{name[end..^"_proj".Length]}", layer);
        Add($"{part}.transformer.{name}", layer);
        Add($"text_encoders.{part}.transformer.{name}", layer);
        foreach (string prefix in flat) Add(Flat(prefix, name), layer);
    }

    // ComfyUI's generic names: a weight without its ending, and other tensors by their full name.
    private void AddGeneric(string prefix, string name, LoraLayer layer)
    {
        Add(prefix + name, layer);
        if (layer.Bias is not null) Add(prefix + name + BiasEnd, new LoraLayer(layer.Bias, null, layer.IsText));
    }

    private void Add(string name, LoraLayer layer) => _layers.TryAdd(name, layer);

    private static Dictionary<string, LoraLayer> Layers(
        IReadOnlyDictionary<string, ModelTensor> tensors, string prefix, bool isText)
    {
        var layers = new Dictionary<string, LoraLayer>(StringComparer.Ordinal);
        foreach (string key in tensors.Keys)
        {
            bool isWeight = key.EndsWith(WeightEnd, StringComparison.Ordinal), isBias = key.EndsWith(BiasEnd, StringComparison.Ordinal);
            if (!key.StartsWith(prefix, StringComparison.Ordinal) || !(isWeight || isBias)) continue;
            string layer = key[prefix.Length..^(isWeight ? WeightEnd : BiasEnd).Length];
            LoraLayer known = layers.GetValueOrDefault(layer) ?? new LoraLayer(null, null, isText);
            LoraTarget? target = Target(tensors, key);
            layers[layer] = isWeight ? known with { Weight = target } : known with { Bias = target };
        }

        return layers;
    }

    private static LoraTarget? Target(IReadOnlyDictionary<string, ModelTensor> tensors, string key) =>
        tensors.TryGetValue(key, out ModelTensor? tensor) ? new LoraTarget(key, 0, tensor.Rows, tensor.Inner) : null;

    private static LoraTarget? Third(LoraTarget? stacked, int part) =>
        stacked is null ? null : stacked with { FirstRow = part * (stacked.Rows / 3), Rows = stacked.Rows / 3 };

    private static string Flat(string prefix, string name) => prefix + name.Replace('.', '_');

    private static string? PrefixOf(IReadOnlyDictionary<string, ModelTensor> tensors, string end) =>
        tensors.Keys.FirstOrDefault(key => key.EndsWith(end, StringComparison.Ordinal))?[..^end.Length];
}

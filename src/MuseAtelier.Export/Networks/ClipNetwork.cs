using MuseAtelier.Packages;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// The two text encoders: pre-norm transformers over 77 positions, each of which sees none after it. Every lowering's own choice is fp32:
/// CLIP-G in fp16 shifts colours. What they give is fp32 in any case.
/// </summary>
internal sealed class ClipNetwork
{
    /// <summary>Positions of both encoders.</summary>
    public const int Positions = 77;

    /// <summary>Tokens of both encoders; a table may have rows behind them, which no text reads.</summary>
    private const int VocabularySize = 49_408;

    private readonly CheckpointWeights _weights;
    private readonly ElementType _precision;
    private readonly string _name;
    private readonly Nonlinearity _function;
    private readonly bool _stacked;
    private readonly string _table, _positions, _layers, _norm1, _norm2, _out, _in, _up, _down, _final;
    private readonly string? _projection;

    // Whether the projection lies as [out, in], as torch's layers have it, rather than as the matrix that open_clip multiplies with.
    private readonly bool _projectionIsLayer;

    private ClipNetwork(CheckpointWeights weights, ElementType precision, string name, Nonlinearity function, bool stacked, string table, string positions, string layers, string norm1, string norm2, string attention, string outProjection, string up, string down, string final, string? projection)
    {
        (_weights, _precision, _name, _function, _stacked) = (weights, precision, name, function, stacked);
        (_table, _positions, _layers, _norm1, _norm2, _in, _out, _up, _down, _final, _projection) = (table, positions, layers, norm1, norm2, attention, outProjection, up, down, final, projection);
        // Some converters keep the layer's name and its layout, and rename all else.
        _projectionIsLayer = projection is not null
            && (projection.EndsWith(".weight", StringComparison.Ordinal)
                || (!weights.Has(projection) && weights.Has(projection + ".weight")));
        if (_projectionIsLayer && !_projection!.EndsWith(".weight", StringComparison.Ordinal)) _projection += ".weight";
    }

    /// <summary>CLIP-L under transformers' names.</summary>
    public static ClipNetwork L(CheckpointWeights weights, ElementType precision) => new(
        weights, precision, ComponentNames.ClipL, Nonlinearity.QuickGelu, stacked: false, "embeddings.token_embedding.weight", "embeddings.position_embedding.weight",
        "encoder.layers.", "layer_norm1", "layer_norm2", "self_attn.", "self_attn.out_proj", "mlp.fc1", "mlp.fc2", "final_layer_norm", projection: null);

    /// <summary>CLIP-G under open_clip's names: q, k and v stacked, text_projection to be multiplied from the left.</summary>
    public static ClipNetwork G(CheckpointWeights weights, ElementType precision) => new(
        weights, precision, ComponentNames.ClipG, Nonlinearity.Gelu, stacked: true, "token_embedding.weight", "positional_embedding",
        "transformer.resblocks.", "ln_1", "ln_2", "attn.in_proj_", "attn.out_proj", "mlp.c_fc", "mlp.c_proj", "ln_final", "text_projection");

    /// <summary>CLIP-G under transformers' names: q, k and v by themselves, and the projection a layer.</summary>
    public static ClipNetwork TransformersG(CheckpointWeights weights, ElementType precision) => new(
        weights, precision, ComponentNames.ClipG, Nonlinearity.Gelu, stacked: false,
        "text_model.embeddings.token_embedding.weight", "text_model.embeddings.position_embedding.weight",
        "text_model.encoder.layers.", "layer_norm1", "layer_norm2", "self_attn.", "self_attn.out_proj", "mlp.fc1", "mlp.fc2",
        "text_model.final_layer_norm", "text_projection.weight");

    /// <summary>Width of the hidden states.</summary>
    public int Width => (int)_weights.Size(_table, 1);

    /// <summary>Width of the pooled output; 0 where there is none.</summary>
    public int PooledWidth => _projection is null ? 0 : (int)_weights.Size(_projection, _projectionIsLayer ? 0 : 1);

    /// <summary>
    /// ids [batch, 77] (and eos [batch]: each text's first end mark as an index into all batches' positions laid end to end) to hidden
    /// [batch, 77, width], the penultimate layer's, without final norm, and pooled [batch, p].
    /// </summary>
    public Network Text()
    {
        var net = new NetworkBuilder(_weights);
        Dimension batch = Dimension.Parse("batch"), positions = Dimension.Of(Positions);
        Value ids = Value.Plain("ids", ElementType.I64, batch, positions), eos = Value.Plain("eos", ElementType.I64, batch);
        int layers = _weights.Count(_layers);
        if (layers < 2) _weights.Refuse($"{_layers}1", "two layers or more were expected");
        if (Width > UNetNetwork.HeadWidth && Width % UNetNetwork.HeadWidth != 0)
            _weights.Refuse(_table, $"attention heads of {UNetNetwork.HeadWidth} channels were expected");

        net.BeginUnit("embedding.0", StageKind.Transformer);
        Value x = Value.Tokens(net.Name(), Width, positions);
        long rows = Math.Max(VocabularySize, _weights.Size(_table, 0));
        net.Emit(new Embedding(ids, x, _weights.Get(_table, rows, Width), _weights.Get(_positions, Positions, Width)));

        // What comes after the penultimate layer only serves the pooled output.
        int needed = _projection is null ? layers - 1 : layers;
        Value border = Value.Tokens("hidden", Width, positions, ElementType.F32), hidden = x;
        for (int i = 0; i < needed; i++)
        {
            net.BeginUnit($"layers.{i}", StageKind.Transformer);
            x = Layer(net, x, $"{_layers}{i}.", i == layers - 2 && _precision == ElementType.F32 ? border : null);
            if (i != layers - 2) continue;
            if (_precision != ElementType.F32) net.Emit(new Cast(x, border));
            hidden = border;
        }

        if (_projection is null) return new Network(_name, [ids], [hidden], net.Units) { Precision = _precision };

        net.BeginUnit("pooled.0", StageKind.Transformer);
        Value last = Value.Plain(net.Name(), null, batch, Dimension.Of(Width)), pooled = Value.Plain("pooled", ElementType.F32, batch, Dimension.Of(PooledWidth));
        net.Emit(new SelectPosition(x, eos, last));
        Value projected = _precision == ElementType.F32 ? pooled : net.PlainLike(last, PooledWidth);
        net.Emit(new Linear(net.LayerNorm(last, _final), projected, Projection(), null, Transposed: true));
        if (projected != pooled) net.Emit(new Cast(projected, pooled));
        return new Network(_name, [ids, eos], [hidden, pooled], net.Units) { Precision = _precision };
    }

    private Weight Projection() =>
        _projectionIsLayer ? _weights.Turned(_projection!, Width, PooledWidth) : _weights.Get(_projection!, Width, PooledWidth);

    private Value Layer(NetworkBuilder net, Value x, string layer, Value? output)
    {
        Value y = net.LayerNorm(x, layer + _norm1);
        Value Projected(int part, string name) => _stacked
            ? net.Linear(y, $"{layer}{_in}weight", $"{layer}{_in}bias", part, parts: 3, Width)
            : net.Linear(y, $"{layer}{_in}{name}_proj", channels: Width);
        Value attended = net.Attention(Projected(0, "q"), Projected(1, "k"), Projected(2, "v"), UNetNetwork.Heads(Width), causal: true);
        (y, Value sum) = net.ResidualLayerNorm(
            net.Linear(attended, layer + _out, bias: false, Width), $"{layer}{_out}.bias", x, layer + _norm2);
        Value fed = net.Linear(net.Activation(net.Linear(y, layer + _up), _function), layer + _down, bias: false, Width);
        Value result = output ?? net.TokensLike(x);
        net.Emit(new ResidualBias(fed, _weights.Get($"{layer}{_down}.bias", Width), sum, result));
        return result;
    }
}

using MuseAtelier.Format;

namespace MuseAtelier.Export.Networks;

/// <summary>The names that a checkpoint's format gives to the tensors of a text encoder.</summary>
internal sealed record ClipTensorNames
{
    /// <summary>The token embeddings, one row a token.</summary>
    public required string Table { get; init; }

    /// <summary>The position embeddings.</summary>
    public required string Positions { get; init; }

    /// <summary>The prefix of the names of all layers, up to the number.</summary>
    public required string Layers { get; init; }

    /// <summary>The norm before the attention.</summary>
    public string Norm1 { get; init; } = "layer_norm1";

    /// <summary>The norm before the feed-forward part.</summary>
    public string Norm2 { get; init; } = "layer_norm2";

    /// <summary>The prefix of the names of the q, k and v projections.</summary>
    public string In { get; init; } = "self_attn.";

    /// <summary>The attention's output projection.</summary>
    public string Out { get; init; } = "self_attn.out_proj";

    /// <summary>The first product of the feed-forward part.</summary>
    public string Up { get; init; } = "mlp.fc1";

    /// <summary>The second product of the feed-forward part.</summary>
    public string Down { get; init; } = "mlp.fc2";

    /// <summary>The norm before the pooled output.</summary>
    public string Final { get; init; } = "final_layer_norm";

    /// <summary>The projection of the pooled output; null where there is none.</summary>
    public string? Projection { get; init; }

    /// <summary>Whether q, k and v are stacked in one tensor.</summary>
    public bool IsStacked { get; init; }
}

/// <summary>
/// The two text encoders: pre-norm transformers over 77 positions with causal attention. Every lowering chooses fp32 by default because
/// CLIP-G in fp16 shifts colours. The outputs are fp32 in any case.
/// </summary>
internal sealed class ClipNetwork
{
    /// <summary>Positions of both encoders.</summary>
    public const int Positions = TextChunk.Length;

    private const string WeightSuffix = ".weight";

    private readonly CheckpointWeights _weights;
    private readonly ElementType _precision;
    private readonly string _name;
    private readonly Nonlinearity _function;
    private readonly ClipTensorNames _names;
    private readonly string? _projection;

    // Whether the projection is stored as [out, in], as in torch's layers, rather than as the matrix that open_clip multiplies with.
    private readonly bool _projectionIsLayer;

    private ClipNetwork(CheckpointWeights weights, ElementType precision, string name, Nonlinearity function, ClipTensorNames names)
    {
        _weights = weights;
        _precision = precision;
        _name = name;
        _function = function;
        _names = names;
        _projection = names.Projection;
        if (_projection is null) return;
        bool isNamedAsLayer = _projection.EndsWith(WeightSuffix, StringComparison.Ordinal);
        // Some converters rename all other tensors but keep the name and the layout of the layer.
        bool isStoredAsLayer = !weights.Has(_projection) && weights.Has(_projection + WeightSuffix);
        _projectionIsLayer = isNamedAsLayer || isStoredAsLayer;
        if (_projectionIsLayer && !isNamedAsLayer) _projection += WeightSuffix;
    }

    /// <summary>CLIP-L with the tensor names of transformers.</summary>
    public static ClipNetwork L(CheckpointWeights weights, ElementType precision) =>
        new(weights, precision, ComponentNames.ClipL, Nonlinearity.QuickGelu, new ClipTensorNames
        {
            Table = "embeddings.token_embedding.weight",
            Positions = "embeddings.position_embedding.weight",
            Layers = "encoder.layers.",
        });

    /// <summary>
    /// CLIP-G with the tensor names of open_clip: q, k and v are stacked, and text_projection is multiplied from the left.
    /// </summary>
    public static ClipNetwork G(CheckpointWeights weights, ElementType precision) =>
        new(weights, precision, ComponentNames.ClipG, Nonlinearity.Gelu, new ClipTensorNames
        {
            Table = "token_embedding.weight",
            Positions = "positional_embedding",
            Layers = "transformer.resblocks.",
            Norm1 = "ln_1",
            Norm2 = "ln_2",
            In = "attn.in_proj_",
            Out = "attn.out_proj",
            Up = "mlp.c_fc",
            Down = "mlp.c_proj",
            Final = "ln_final",
            Projection = "text_projection",
            IsStacked = true,
        });

    /// <summary>CLIP-G with the tensor names of transformers: q, k and v are separate, and the projection is a layer.</summary>
    public static ClipNetwork TransformersG(CheckpointWeights weights, ElementType precision) =>
        new(weights, precision, ComponentNames.ClipG, Nonlinearity.Gelu, new ClipTensorNames
        {
            Table = "text_model.embeddings.token_embedding.weight",
            Positions = "text_model.embeddings.position_embedding.weight",
            Layers = "text_model.encoder.layers.",
            Final = "text_model.final_layer_norm",
            Projection = "text_projection.weight",
        });

    /// <summary>Width of the hidden states.</summary>
    public int Width => (int)_weights.Size(_names.Table, 1);

    /// <summary>Width of the pooled output; 0 where there is none.</summary>
    public int PooledWidth => _projection is null ? 0 : (int)_weights.Size(_projection, _projectionIsLayer ? 0 : 1);

    /// <summary>
    /// Describes the network. Inputs: ids [rows, 77]; vectors [75, width], of which the id 49,408 + i names row i; and, for the pooled
    /// output, eos [rows], the index of each text's first end mark in the positions of all rows laid end to end. Outputs: hidden [rows, 77, width], the penultimate layer's without the final norm;
    /// hidden_3, hidden_4 and so on, those of the layers before it, up to the first layer or the twelfth from the end; and pooled
    /// [rows, p].
    /// </summary>
    public Network Text()
    {
        var net = new NetworkBuilder(_weights);
        Dimension rows = Dimension.Parse("rows"), positions = Dimension.Of(Positions);
        Value ids = Value.Plain("ids", ElementType.I64, rows, positions);
        Value vectors = Value.Plain(TextChunk.Vectors, ElementType.F32, Dimension.Of(TextChunk.Capacity), Dimension.Of(Width));
        int layers = CheckSizes();

        net.BeginUnit("embedding.0", StageKind.Transformer);
        Value x = Value.Tokens(net.Name(), Width, positions);
        long rowsOfTable = Math.Max(TextChunk.Vocabulary, _weights.Size(_names.Table, 0));
        Weight table = _weights.Get(_names.Table, rowsOfTable, Width);
        net.Emit(new Embedding(ids, vectors, x, table, _weights.Get(_names.Positions, Positions, Width)));

        // Only the pooled output reads the last layer.
        int needed = _projection is null ? layers - 1 : layers;
        List<Value> hidden = [];
        for (int i = 0; i < needed; i++)
        {
            net.BeginUnit($"layers.{i}", StageKind.Transformer);
            int skip = layers - i;
            Value? border = skip is >= ConditioningNames.UsualClipSkip and <= ConditioningNames.MostClipSkip
                ? Value.Tokens(ConditioningNames.HiddenStates(skip), Width, positions, ElementType.F32)
                : null;
            x = Layer(net, x, $"{_names.Layers}{i}.", _precision == ElementType.F32 ? border : null);
            if (border is null) continue;
            if (_precision != ElementType.F32) net.Emit(new Cast(x, border));
            hidden.Add(border);
        }

        // The penultimate layer's come first.
        hidden.Reverse();
        if (_projection is null) return new Network(_name, [ids, vectors], hidden, net.Units) { Precision = _precision };
        Value eos = Value.Plain("eos", ElementType.I64, rows);
        Value pooled = Pool(net, x, eos);
        return new Network(_name, [ids, vectors, eos], [.. hidden, pooled], net.Units) { Precision = _precision };
    }

    private int CheckSizes()
    {
        int layers = _weights.Count(_names.Layers);
        if (layers < 2) _weights.Refuse($"{_names.Layers}1", "two layers or more were expected");
        if (Width > UNetNetwork.HeadWidth && Width % UNetNetwork.HeadWidth != 0)
            _weights.Refuse(_names.Table, $"attention heads of {UNetNetwork.HeadWidth} channels were expected");
        return layers;
    }

    private Value Pool(NetworkBuilder net, Value x, Value eos)
    {
        net.BeginUnit("pooled.0", StageKind.Transformer);
        Dimension rows = Dimension.Parse("rows");
        Value last = Value.Plain(net.Name(), null, rows, Dimension.Of(Width));
        Value pooled = Value.Plain("pooled", ElementType.F32, rows, Dimension.Of(PooledWidth));
        net.Emit(new SelectPosition(x, eos, last));
        Value projected = _precision == ElementType.F32 ? pooled : net.PlainLike(last, PooledWidth);
        net.Emit(new Linear(net.LayerNorm(last, _names.Final), projected, Projection(), null, Transposed: true));
        if (projected != pooled) net.Emit(new Cast(projected, pooled));
        return pooled;
    }

    private Weight Projection() =>
        _projectionIsLayer ? _weights.Turned(_projection!, Width, PooledWidth) : _weights.Get(_projection!, Width, PooledWidth);

    private Value Layer(NetworkBuilder net, Value x, string layer, Value? output)
    {
        Value y = net.LayerNorm(x, layer + _names.Norm1);
        Value attended = net.Attention(Projected(0, "q"), Projected(1, "k"), Projected(2, "v"), UNetNetwork.Heads(Width), causal: true);
        string outKey = layer + _names.Out, downKey = layer + _names.Down;
        Value branch = net.Linear(attended, outKey, bias: false, Width);
        (y, Value sum) = net.ResidualLayerNorm(branch, $"{outKey}.bias", x, layer + _names.Norm2);
        Value activated = net.Activation(net.Linear(y, layer + _names.Up), _function);
        Value fed = net.Linear(activated, downKey, bias: false, Width);
        Value result = output ?? net.TokensLike(x);
        net.Emit(new ResidualBias(fed, _weights.Get($"{downKey}.bias", Width), sum, result));
        return result;

        Value Projected(int part, string name) => _names.IsStacked
            ? net.Linear(y, $"{layer}{_names.In}weight", $"{layer}{_names.In}bias", part, parts: 3, Width)
            : net.Linear(y, $"{layer}{_names.In}{name}_proj", channels: Width);
    }
}

using MuseAtelier.Packages;

namespace MuseAtelier.Export.Networks;

/// <summary>Writes a network down, operation by operation, with the layers that all of SDXL's networks share.</summary>
internal sealed class NetworkBuilder(CheckpointWeights weights)
{
    private const int GroupNormGroups = Networks.GroupNorm.Groups;

    private readonly List<Unit> _units = [];
    private int _values;

    public CheckpointWeights Weights { get; } = weights;

    public IReadOnlyList<Unit> Units => _units;

    public void BeginUnit(string name, StageKind kind) => _units.Add(new Unit(name, kind, []));

    public void Emit(Operation operation) => _units[^1].Operations.Add(operation);

    /// <summary>An image of the lowering's own type: only a component's border has a fixed one.</summary>
    public Value ImageLike(Value like, int? channels = null, Dimension? height = null, Dimension? width = null) =>
        Value.Image(Name(), channels ?? like.Channels, height ?? like.Height, width ?? like.Width, batch: like.Batch);

    public Value TokensLike(Value like, int? channels = null) => Value.Tokens(Name(), channels ?? like.Channels, like.Shape[1], like.Type, like.Batch);

    public Value PlainLike(Value like, int channels) => Value.Plain(Name(), like.Type, [.. like.Shape.Take(like.Shape.Count - 1), Dimension.Of(channels)]);

    public string Name() => $"v{_values++}";

    public Value Convolution(
        Value x, string key, int stride = 1, Dimension? height = null, Dimension? width = null, float scale = 1, float biasScale = 1,
        bool padOnlyEnd = false, Value? output = null, int? channels = null)
    {
        // What a component gives, and the sums that a branch goes into, have channels of their own; elsewhere the weight tells.
        long outputs = output?.Channels ?? channels ?? Weights.Size($"{key}.weight", 0), kernel = Weights.KernelSize($"{key}.weight");
        if (kernel is not (0 or 1 or 3)) Weights.Refuse($"{key}.weight", outputs, x.Channels, 3, 3);
        Weight w = Weights.Get($"{key}.weight", scale, outputs, x.Channels, kernel, kernel);
        Weight b = Weights.Get($"{key}.bias", biasScale, outputs);
        Value y = output ?? ImageLike(x, (int)outputs, height, width);
        int pad = (int)kernel / 2;
        Emit(new Convolution(x, y, w, b, stride, padOnlyEnd ? 0 : pad, pad));
        return y;
    }

    public Value GroupNorm(Value x, string key, float epsilon, bool silu, Value? shift = null)
    {
        if (x.Channels % GroupNormGroups != 0)
            Weights.Refuse($"{key}.weight", $"found [{x.Channels}], a multiple of {GroupNormGroups} was expected");
        Value y = ImageLike(x);
        Emit(new GroupNorm(x, shift, y, Weights.Get($"{key}.weight", x.Channels), Weights.Get($"{key}.bias", x.Channels), epsilon, silu));
        return y;
    }

    /// <summary>A product.</summary>
    /// <param name="x">What is multiplied.</param>
    /// <param name="key">The layer.</param>
    /// <param name="bias">Whether the layer's bias is added.</param>
    /// <param name="channels">Channels of the result, where something else than the weight sets them.</param>
    public Value Linear(Value x, string key, bool bias = true, int? channels = null)
    {
        long outputs = channels ?? Weights.Size($"{key}.weight", 0);
        return Linear(x, outputs, Weights.Get($"{key}.weight", outputs, x.Channels), bias ? Weights.Get($"{key}.bias", outputs) : null);
    }

    /// <summary>A product with one of several weights that one tensor holds, for files that keep q, k and v in one.</summary>
    public Value Linear(Value x, string weightKey, string biasKey, int part, int parts, int channels) =>
        Linear(x, channels, Weights.Part(weightKey, part, parts, channels, x.Channels), Weights.Part(biasKey, part, parts, channels));

    private Value Linear(Value x, long outputs, Weight w, Weight? b)
    {
        Value y = x.Kind == ValueKind.Tokens ? TokensLike(x, (int)outputs) : PlainLike(x, (int)outputs);
        Emit(new Linear(x, y, w, b));
        return y;
    }

    public Value LayerNorm(Value x, string key)
    {
        Value y = x.Kind == ValueKind.Tokens ? TokensLike(x) : PlainLike(x, x.Channels);
        Emit(new LayerNorm(x, y, Weights.Get($"{key}.weight", x.Channels), Weights.Get($"{key}.bias", x.Channels)));
        return y;
    }

    /// <summary>
    /// Adds a branch and its bias to the residual stream, and normalises the sum. The stream is fp32 in every lowering: rounding it to fp16 after each
    /// of its 210 sums made a quarter of the UNet's whole error.
    /// </summary>
    public (Value Normed, Value Sum) ResidualLayerNorm(Value branch, string biasKey, Value residual, string key)
    {
        Value normed = TokensLike(branch), sum = Value.Tokens(Name(), residual.Channels, residual.Shape[1], ElementType.F32, residual.Batch);
        Emit(new ResidualLayerNorm(branch, Weights.Get(biasKey, residual.Channels), residual, normed, sum, Weights.Get($"{key}.weight", residual.Channels), Weights.Get($"{key}.bias", residual.Channels)));
        return (normed, sum);
    }

    public Value ResidualBias(Value branch, string biasKey, Value residual)
    {
        Value sum = TokensLike(branch);
        Emit(new ResidualBias(branch, Weights.Get(biasKey, residual.Channels), residual, sum));
        return sum;
    }

    public Value Attention(Value q, Value k, Value v, int heads, bool causal = false)
    {
        Value y = TokensLike(q);
        Emit(new Attention(q, k, v, y, heads, causal));
        return y;
    }

    public Value Activation(Value x, Nonlinearity function)
    {
        Value y = x.Kind == ValueKind.Tokens ? TokensLike(x) : PlainLike(x, x.Channels);
        Emit(new Activation(x, y, function));
        return y;
    }

    public Value Add(Value left, Value right, Weight? bias = null)
    {
        Value y = ImageLike(left);
        Emit(new Add(left, right, y, bias));
        return y;
    }
}

using MuseAtelier.Format;

namespace MuseAtelier.Export.Networks;

/// <summary>Describes a network, operation by operation, and provides the layers that all of SDXL's networks share.</summary>
internal sealed class NetworkBuilder(CheckpointWeights weights)
{
    private const int GroupNormGroups = Networks.GroupNorm.Groups;

    private readonly List<Unit> _units = [];
    private int _values;

    public CheckpointWeights Weights { get; } = weights;

    public IReadOnlyList<Unit> Units => _units;

    public void BeginUnit(string name, StageKind kind) => _units.Add(new Unit(name, kind, []));

    public void Emit(Operation operation) => _units[^1].Operations.Add(operation);

    /// <summary>An image of the lowering's activation type. Only the inputs and outputs of a component have a fixed type.</summary>
    public Value ImageLike(Value like, int? channels = null, Dimension? height = null, Dimension? width = null) =>
        Value.Image(Name(), channels ?? like.Channels, height ?? like.Height, width ?? like.Width, rows: like.Rows);

    public Value TokensLike(Value like, int? channels = null) =>
        Value.Tokens(Name(), channels ?? like.Channels, like.Shape[1], like.Type, like.Rows);

    public Value PlainLike(Value like, int channels) =>
        Value.Plain(Name(), like.Type, [.. like.Shape.Take(like.Shape.Count - 1), Dimension.Of(channels)]);

    private Value Like(Value x) => x.Kind == ValueKind.Tokens ? TokensLike(x) : PlainLike(x, x.Channels);

    public string Name() => $"v{_values++}";

    /// <summary>A convolution with a kernel of 1x1 or 3x3, padded so that a stride of 1 keeps the size of the plane.</summary>
    /// <param name="x">The input.</param>
    /// <param name="key">The layer.</param>
    /// <param name="stride">Distance between two outputs, in both directions.</param>
    /// <param name="height">Height of the result; null for that of the input.</param>
    /// <param name="width">Width of the result; null for that of the input.</param>
    /// <param name="scale">A power of two that multiplies the kernel.</param>
    /// <param name="biasScale">A power of two that multiplies the bias.</param>
    /// <param name="padOnlyEnd">Whether only the last row and column are padded.</param>
    /// <param name="output">The value that receives the result; null for a new one.</param>
    /// <param name="channels">Channels of the result where the network fixes them; null for those of the weight.</param>
    public Value Convolution(
        Value x,
        string key,
        int stride = 1,
        Dimension? height = null,
        Dimension? width = null,
        float scale = 1,
        float biasScale = 1,
        bool padOnlyEnd = false,
        Value? output = null,
        int? channels = null)
    {
        long outputs = output?.Channels ?? channels ?? Weights.Size($"{key}.weight", 0);
        long kernel = Weights.KernelSize($"{key}.weight");
        if (kernel is not (0 or 1 or 3)) Weights.Refuse($"{key}.weight", outputs, x.Channels, 3, 3);
        Weight w = Weights.Get($"{key}.weight", scale, outputs, x.Channels, kernel, kernel);
        Weight b = Weights.Get($"{key}.bias", biasScale, outputs);
        Value y = output ?? ImageLike(x, (int)outputs, height, width);
        int pad = (int)kernel / 2;
        Emit(new Convolution(x, y, w, b, stride, padOnlyEnd ? 0 : pad, pad));
        return y;
    }

    public Value GroupNorm(Value x, string key, float epsilon, bool silu, Value? embedding = null)
    {
        if (x.Channels % GroupNormGroups != 0)
            Weights.Refuse($"{key}.weight", $"found [{x.Channels}], a multiple of {GroupNormGroups} was expected");
        Value y = ImageLike(x);
        Weight scale = Weights.Get($"{key}.weight", x.Channels), offset = Weights.Get($"{key}.bias", x.Channels);
        Emit(new GroupNorm(x, embedding, y, scale, offset, epsilon, silu));
        return y;
    }

    /// <summary>A product with a weight matrix.</summary>
    /// <param name="x">The input.</param>
    /// <param name="key">The layer.</param>
    /// <param name="bias">Whether the layer's bias is added.</param>
    /// <param name="channels">Channels of the result where the network fixes them; null for those of the weight.</param>
    public Value Linear(Value x, string key, bool bias = true, int? channels = null)
    {
        long outputs = channels ?? Weights.Size($"{key}.weight", 0);
        Weight w = Weights.Get($"{key}.weight", outputs, x.Channels);
        return Linear(x, outputs, w, bias ? Weights.Get($"{key}.bias", outputs) : null);
    }

    /// <summary>A product with one of several weights in one tensor, for files that store q, k and v together.</summary>
    public Value Linear(Value x, string weightKey, string biasKey, int part, int parts, int channels)
    {
        Weight w = Weights.Part(weightKey, part, parts, channels, x.Channels);
        return Linear(x, channels, w, Weights.Part(biasKey, part, parts, channels));
    }

    private Value Linear(Value x, long outputs, Weight w, Weight? b)
    {
        Value y = x.Kind == ValueKind.Tokens ? TokensLike(x, (int)outputs) : PlainLike(x, (int)outputs);
        Emit(new Linear(x, y, w, b));
        return y;
    }

    public Value LayerNorm(Value x, string key)
    {
        Value y = Like(x);
        Emit(new LayerNorm(x, y, Weights.Get($"{key}.weight", x.Channels), Weights.Get($"{key}.bias", x.Channels)));
        return y;
    }

    /// <summary>
    /// Adds a branch and its bias to the residual stream, and normalises the sum. The stream is fp32 in every lowering: rounding it to fp16
    /// after each of its 210 sums made a quarter of the UNet's whole error.
    /// </summary>
    public (Value Normed, Value Sum) ResidualLayerNorm(Value branch, string biasKey, Value residual, string key)
    {
        int channels = residual.Channels;
        Value normed = TokensLike(branch);
        Value sum = Value.Tokens(Name(), channels, residual.Shape[1], ElementType.F32, residual.Rows);
        Weight bias = Weights.Get(biasKey, channels);
        Weight scale = Weights.Get($"{key}.weight", channels), offset = Weights.Get($"{key}.bias", channels);
        Emit(new ResidualLayerNorm(branch, bias, residual, normed, sum, scale, offset));
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
        Value y = Like(x);
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

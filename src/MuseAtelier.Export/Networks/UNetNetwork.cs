using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// SDXL's UNet as three networks: the part that depends on the prompt alone, the part that depends on the timestep alone, and the denoising
/// step. Sizes, depths and the order of blocks come from the checkpoint. (Names: Stability-AI/generative-models, openaimodel.py.)
/// </summary>
internal sealed class UNetNetwork(CheckpointWeights weights, ElementType precision)
{
    /// <summary>Width of every attention head of SDXL.</summary>
    public const int HeadWidth = 64;

    /// <summary>Channels of a latent.</summary>
    public const int LatentChannels = 4;

    /// <summary>The most transformer blocks in the whole network; SDXL has 70.</summary>
    private const int MostTransformerBlocks = 512;

    /// <summary>The most times that the plane is halved; SDXL halves it twice.</summary>
    private const int MostHalvings = 6;

    /// <summary>The most parts of the middle: a ResBlock, and in larger models a transformer and a second ResBlock.</summary>
    private const int MiddleParts = 3;

    /// <summary>Blocks whose keys and values one stage computes: their weights are no more than those of the widest block.</summary>
    private const int ContextBlocks = 5;

    /// <summary>Time ids of a picture: original size, crop and target size, two numbers each.</summary>
    private const int TimeIds = 6;

    /// <summary>Side of the first convolution's kernel.</summary>
    private const int KernelSide = 3;

    private const string FirstConvolution = "input_blocks.0.0.weight";
    private const float ResBlockEpsilon = 1e-5f;
    private const float TransformerEpsilon = 1e-6f;
    private static readonly Dimension Tokens = Dimension.Parse("tokens");
    private static readonly Dimension Rows = Dimension.Parse("rows");
    private static readonly Dimension LatentHeight = Dimension.Parse("height");
    private static readonly Dimension LatentWidth = Dimension.Parse("width");

    // Step fills both lists. The two other networks compute the listed tensors.
    private readonly List<(Value Projection, string Key)> _projections = [];
    private readonly List<(Value Keys, Value Values, string Block)> _contexts = [];

    /// <summary>The number of attention heads for a number of channels.</summary>
    public static int Heads(int channels) => Math.Max(1, channels / HeadWidth);

    /// <summary>Channels that the network reads: those of a latent in base models, more in others.</summary>
    public int InputChannels => (int)weights.Size(FirstConvolution, 1);

    /// <summary>
    /// The denoising step. Inputs: latents [rows, channels, height, width], the time embedding projections, keys and values. Output: the
    /// predicted noise. Behind the latents an inpainting model reads a mask, one channel, and the latents of a masked picture.
    /// </summary>
    public Network Step()
    {
        var net = new NetworkBuilder(weights);
        // The engine writes the channels of a latent, and for inpainting models a mask and a masked picture behind them. 0 means that the
        // tensor is missing, which is refused for that reason.
        if (InputChannels is not (0 or LatentChannels or ModelSpec.InpaintingChannels))
            weights.Refuse(FirstConvolution, weights.Size(FirstConvolution, 0), LatentChannels, KernelSide, KernelSide);
        Value latents = Value.Image("latents", InputChannels, LatentHeight, LatentWidth, ElementType.F32);
        net.BeginUnit("input_blocks.0", StageKind.Convolution);
        Value x = net.Convolution(latents, "input_blocks.0.0");
        x.Rename("input_blocks.0");
        int inputs = weights.Count("input_blocks."), outputs = weights.Count("output_blocks.");
        Stack<Value> skips = Down(net, x, inputs);
        x = Middle(net, skips.Peek());
        if (outputs != inputs)
            weights.Refuse($"output_blocks.{outputs}", $"{outputs} blocks up were found for {inputs} blocks down");
        for (int i = 0; i < outputs; i++) x = Up(net, x, skips, $"output_blocks.{i}");

        net.BeginUnit("out", StageKind.Convolution);
        Value noise = Value.Image("noise", LatentChannels, LatentHeight, LatentWidth, ElementType.F32);
        net.Convolution(net.GroupNorm(x, "out.0", ResBlockEpsilon, silu: true), "out.2", output: noise);
        List<Value> given = [latents, .. _projections.Select(entry => entry.Projection), .. KeysAndValues()];
        return new Network(ComponentNames.UNet, given, [noise], net.Units) { Precision = precision };
    }

    /// <summary>
    /// The keys and values of every cross-attention from context [rows, tokens, width]. It runs once per batch. Must be called after
    /// <see cref="Step"/>, which collects the cross-attentions.
    /// </summary>
    /// <param name="textWidth">The width of both text encoders' hidden states together.</param>
    public Network CrossAttention(int textWidth)
    {
        var net = new NetworkBuilder(weights);
        int width = _contexts.Count == 0 ? 0 : textWidth;
        Value context = Value.Tokens("context", width, Tokens, ElementType.F32);
        foreach (var transformer in _contexts.GroupBy(entry => TransformerOf(entry.Block)))
        {
            foreach ((Value Keys, Value Values, string Block)[] blocks in transformer.Chunk(ContextBlocks))
            {
                net.BeginUnit($"{blocks[0].Block}.attn2", StageKind.Transformer);
                foreach ((Value keys, Value values, string block) in blocks)
                {
                    net.Emit(new Linear(context, keys, weights.Get($"{block}.attn2.to_k.weight", keys.Channels, width), null));
                    net.Emit(new Linear(context, values, weights.Get($"{block}.attn2.to_v.weight", values.Channels, width), null));
                }
            }
        }

        return new Network(ComponentNames.CrossAttention, [context], [.. KeysAndValues()], net.Units) { Precision = precision };
    }

    /// <summary>
    /// The time embedding projections of every ResBlock from timesteps [steps], pooled text [rows, p] and six time ids [rows, 6], packed
    /// step by step in the order of the step network's inputs. It runs once per batch. Must be called after <see cref="Step"/>, which
    /// collects the ResBlocks.
    /// </summary>
    public Network TimeEmbedding(int pooledWidth)
    {
        var net = new NetworkBuilder(weights);
        net.BeginUnit("time_embed.0", StageKind.Transformer);
        Dimension steps = Dimension.Parse("steps");
        int timeWidth = (int)weights.Size("time_embed.0.weight", 1);
        int idWidth = TimeIdWidth(timeWidth, pooledWidth);
        Value timesteps = Value.Plain("timesteps", ElementType.F32, steps);
        Value pooled = Value.Plain("pooled", ElementType.F32, Rows, Dimension.Of(pooledWidth));
        Value ids = Value.Plain("time_ids", ElementType.F32, Rows, Dimension.Of(TimeIds));

        // Sinusoids are fp32 in every lowering because the angles reach 1000 rad.
        Value time = Value.Plain(net.Name(), ElementType.F32, steps, Dimension.Of(timeWidth));
        net.Emit(new Sinusoid(timesteps, time, timeWidth));
        time = net.Linear(net.Activation(net.Linear(time, "time_embed.0"), Nonlinearity.Silu), "time_embed.2");

        Value sizes = Value.Plain(net.Name(), ElementType.F32, Rows, Dimension.Of(TimeIds * idWidth));
        net.Emit(new Sinusoid(ids, sizes, idWidth));
        Value label = Value.Plain(net.Name(), ElementType.F32, Rows, Dimension.Of(pooledWidth + TimeIds * idWidth));
        net.Emit(new ConcatenateRows(pooled, sizes, label));
        Value hidden = net.Activation(net.Linear(label, "label_emb.0.0"), Nonlinearity.Silu);
        label = net.Linear(hidden, "label_emb.0.2", channels: time.Channels);

        Value sum = Value.Plain(net.Name(), ElementType.F32, steps, Rows, Dimension.Of(time.Channels));
        net.Emit(new AddOuter(time, label, sum));
        Value embedding = net.Activation(sum, Nonlinearity.Silu);
        List<Value> parts = [.. _projections.Select(entry => net.Linear(embedding, entry.Key, channels: entry.Projection.Channels))];
        Dimension packedWidth = Dimension.Parse(Invariant($"rows*{parts.Sum(part => part.Channels)}"));
        Value packed = Value.Plain("embeddings", null, steps, packedWidth);
        net.Emit(new PackSteps(parts, packed));
        return new Network(ComponentNames.TimeEmbedding, [timesteps, pooled, ids], [packed], net.Units) { Precision = precision };
    }

    // The input blocks after the first convolution. Their outputs are the skips; the last one is also the input of the middle. They cross
    // the borders of stages under the names of their blocks, because output blocks in later stages read them.
    private Stack<Value> Down(NetworkBuilder net, Value x, int inputs)
    {
        int level = 1;
        Stack<Value> skips = new([x]);
        for (int i = 1; i < inputs; i++)
        {
            string block = $"input_blocks.{i}";
            if (weights.HasAny($"{block}.0.op."))
            {
                if (level == 1 << MostHalvings)
                {
                    weights.Refuse($"{block}.0.op.weight", $"the plane is halved {MostHalvings} times at most");
                    break;
                }

                level *= 2;
                net.BeginUnit(block, StageKind.Convolution);
                Dimension height = Dimension.Parse($"height/{level}"), width = Dimension.Parse($"width/{level}");
                x = net.Convolution(x, $"{block}.0.op", stride: 2, height: height, width: width);
            }
            else
            {
                x = ResBlock(net, x, $"{block}.0");
                if (HasTransformer($"{block}.1")) x = Transformer(net, x, $"{block}.1");
            }

            x.Rename(block);
            skips.Push(x);
        }

        return skips;
    }

    private Value Middle(NetworkBuilder net, Value x)
    {
        // Distilled models lack the middle's attention (SSD-1B, Segmind Vega) or the whole middle (KOALA-700M).
        for (int i = 0; i < MiddleParts; i++)
        {
            string part = $"middle_block.{i}";
            if (HasTransformer(part)) x = Transformer(net, x, part);
            else if (weights.HasAny($"{part}.")) x = ResBlock(net, x, part);
        }

        return x;
    }

    private Value Up(NetworkBuilder net, Value x, Stack<Value> skips, string block)
    {
        Value skip = skips.Count > 0 ? skips.Pop() : x;
        net.BeginUnit(block, StageKind.Convolution);
        if (skip.Height != x.Height) weights.Refuse($"{block}.0.in_layers.0.weight", "the block joins planes of different sizes");
        Value joined = net.ImageLike(x, x.Channels + skip.Channels);
        net.Emit(new Concatenate(x, skip, joined));
        x = ResBlock(net, joined, $"{block}.0");
        int next = 1;
        if (HasTransformer($"{block}.1")) x = Transformer(net, x, $"{block}.{next++}");
        if (!weights.HasAny($"{block}.{next}.conv.")) return x;

        // The size of the smaller plane was rounded up, so the doubled image is cut to the size of the next skip, which may be odd.
        net.BeginUnit($"{block}.{next}", StageKind.Convolution);
        Value like = skips.Count > 0 ? skips.Peek() : x;
        Value doubled = net.ImageLike(x, height: like.Height, width: like.Width);
        net.Emit(new Upsample(x, like, doubled));
        return net.Convolution(doubled, $"{block}.{next}.conv");
    }

    private IEnumerable<Value> KeysAndValues()
    {
        foreach ((Value keys, Value values, _) in _contexts)
        {
            yield return keys;
            yield return values;
        }
    }

    // The name of the transformer that a block belongs to.
    private static string TransformerOf(string block) =>
        block[..block.LastIndexOf(".transformer_blocks.", StringComparison.Ordinal)];

    // Width of the sinusoid of one time id.
    private int TimeIdWidth(int timeWidth, int pooledWidth)
    {
        int idsWidth = (int)weights.Size("label_emb.0.0.weight", 1) - pooledWidth;
        // A sinusoid has as many cosines as sines.
        if (timeWidth % 2 != 0) weights.Refuse("time_embed.0.weight", "an even number of inputs was expected");
        if (weights.Has("label_emb.0.0.weight") && (idsWidth <= 0 || idsWidth % (2 * TimeIds) != 0))
            weights.Refuse("label_emb.0.0.weight", $"{pooledWidth} inputs and 6 even widths more were expected");
        return Math.Max(0, idsWidth / TimeIds);
    }

    private Value ResBlock(NetworkBuilder net, Value x, string key)
    {
        // A block that begins with a concatenation has its unit already.
        if (net.Units[^1].Operations is not [Concatenate]) net.BeginUnit(key, StageKind.Convolution);
        int channels = (int)weights.Size($"{key}.in_layers.2.weight", 0);
        Value projection = Value.Plain(ConditioningNames.TimeEmbedding + key, null, Rows, Dimension.Of(channels));
        _projections.Add((projection, $"{key}.emb_layers.1"));
        Value h = net.Convolution(net.GroupNorm(x, $"{key}.in_layers.0", ResBlockEpsilon, silu: true), $"{key}.in_layers.2");
        h = net.GroupNorm(h, $"{key}.out_layers.0", ResBlockEpsilon, silu: true, projection);
        h = net.Convolution(h, $"{key}.out_layers.3", channels: channels);
        bool sameWidth = x.Channels == h.Channels && !weights.HasAny($"{key}.skip_connection.");
        return net.Add(sameWidth ? x : net.Convolution(x, $"{key}.skip_connection", channels: channels), h);
    }

    private bool HasTransformer(string key) => weights.HasAny($"{key}.transformer_blocks.") || weights.HasAny($"{key}.proj_in.");

    private Value Transformer(NetworkBuilder net, Value x, string key)
    {
        int depth = Depth(x, key);
        // Operations on images belong to the convolution stages on either side, where a lowering can merge them with the work there: this
        // norm with the sum before it, and the last sum with the norm after it.
        Value normed = net.GroupNorm(x, $"{key}.norm", TransformerEpsilon, silu: false);
        net.BeginUnit($"{key}.0", StageKind.Transformer);
        Value tokens = Value.Tokens(net.Name(), x.Channels, Dimension.Parse($"{x.Height}*{x.Width}"));
        net.Emit(new ToTokens(normed, tokens));
        Value sum = net.Linear(tokens, $"{key}.proj_in", channels: x.Channels);
        Value y = net.LayerNorm(sum, $"{key}.transformer_blocks.0.norm1");
        for (int i = 0; i < depth; i++)
        {
            if (i > 0) net.BeginUnit($"{key}.{i}", StageKind.Transformer);
            string block = $"{key}.transformer_blocks.{i}";
            (y, sum) = Attentions(net, y, sum, block);
            Value fed = FeedForward(net, y, block, sum.Channels);
            string bias = $"{block}.ff.net.2.bias";
            if (i + 1 < depth) (y, sum) = net.ResidualLayerNorm(fed, bias, sum, $"{key}.transformer_blocks.{i + 1}.norm1");
            else sum = net.ResidualBias(fed, bias, sum);
        }

        Value projected = net.Linear(sum, $"{key}.proj_out", bias: false, x.Channels), image = net.ImageLike(x);
        net.BeginUnit($"{key}.sum", StageKind.Convolution);
        net.Emit(new ToImage(projected, x, image));
        return net.Add(image, x, weights.Get($"{key}.proj_out.bias", x.Channels));
    }

    private int Depth(Value x, string key)
    {
        int depth = weights.Count($"{key}.transformer_blocks.");
        if (depth == 0) weights.Refuse($"{key}.transformer_blocks.0", "missing");
        if (x.Channels > HeadWidth && x.Channels % HeadWidth != 0)
            weights.Refuse($"{key}.proj_in.weight", $"attention heads of {HeadWidth} channels were expected");
        if (_contexts.Count + depth <= MostTransformerBlocks) return depth;
        weights.Refuse($"{key}.transformer_blocks", $"{MostTransformerBlocks} transformer blocks in all were expected at most");
        return 0;
    }

    // Self-attention, then cross-attention with keys and values that another network computes.
    private (Value Normed, Value Sum) Attentions(NetworkBuilder net, Value y, Value sum, string block)
    {
        int width = sum.Channels, heads = Heads(width);
        string self = $"{block}.attn1", cross = $"{block}.attn2";
        Value attended = net.Attention(
            net.Linear(y, $"{self}.to_q", bias: false, width),
            net.Linear(y, $"{self}.to_k", bias: false, width),
            net.Linear(y, $"{self}.to_v", bias: false, width),
            heads);
        Value branch = net.Linear(attended, $"{self}.to_out.0", bias: false, width);
        (y, sum) = net.ResidualLayerNorm(branch, $"{self}.to_out.0.bias", sum, $"{block}.norm2");

        Value keys = Value.Tokens(ConditioningNames.Key + block, width, Tokens);
        Value values = Value.Tokens(ConditioningNames.Value + block, width, Tokens);
        _contexts.Add((keys, values, block));
        attended = net.Attention(net.Linear(y, $"{cross}.to_q", bias: false, width), keys, values, heads);
        branch = net.Linear(attended, $"{cross}.to_out.0", bias: false, width);
        return net.ResidualLayerNorm(branch, $"{cross}.to_out.0.bias", sum, $"{block}.norm3");
    }

    private Value FeedForward(NetworkBuilder net, Value y, string block, int width)
    {
        string key = $"{block}.ff.net.0.proj";
        int wide = (int)weights.Size($"{key}.weight", 0);
        if (wide % 2 != 0) weights.Refuse($"{key}.weight", "an even number of rows was expected");
        Value gated = net.TokensLike(y, wide / 2);
        Weight kernel = weights.Get($"{key}.weight", wide, y.Channels), bias = weights.Get($"{key}.bias", wide);
        net.Emit(new Geglu(y, gated, kernel, bias));
        return net.Linear(gated, $"{block}.ff.net.2", bias: false, width);
    }
}

using System.Globalization;
using MuseAtelier.Packages;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// SDXL's UNet in three networks: what depends on the prompt alone, what depends on the timestep alone, and the step itself.
/// Sizes, depths and the order of blocks are read from the checkpoint. (Names: Stability-AI/generative-models, openaimodel.py.)
/// </summary>
internal sealed class UNetNetwork(CheckpointWeights weights, ElementType precision)
{
    /// <summary>Every attention head of SDXL is this wide.</summary>
    public const int HeadWidth = 64;

    /// <summary>Channels of a latent.</summary>
    public const int LatentChannels = 4;

    /// <summary>The most transformer blocks of all; SDXL has 70.</summary>
    private const int MostTransformerBlocks = 512;

    /// <summary>The most times that the plane is halved; SDXL does it twice.</summary>
    private const int MostHalvings = 6;

    /// <summary>Parts that the middle may have: a ResBlock, and in larger models a transformer and a second ResBlock.</summary>
    private const int MiddleParts = 3;

    /// <summary>Blocks whose keys and values are computed together: no more weights than the widest block has.</summary>
    private const int ContextBlocks = 5;

    private const float ResBlockEpsilon = 1e-5f;
    private const float TransformerEpsilon = 1e-6f;
    private static readonly Dimension TextLength = Dimension.Of(ClipNetwork.Positions);
    private static readonly Dimension Batch = Dimension.Parse("batch");

    // Found while the step is described, and then computed by the two other networks.
    private readonly List<(Value Shift, string Key)> _shifts = [];
    private readonly List<(Value Keys, Value Values, string Block)> _contexts = [];

    /// <summary>Attention heads of so many channels.</summary>
    public static int Heads(int channels) => Math.Max(1, channels / HeadWidth);

    /// <summary>The step: latents [batch, channels, height, width], shifts, keys and values in; predicted noise out.</summary>
    public Network Step()
    {
        var net = new NetworkBuilder(weights);
        Dimension height = Dimension.Parse("height"), width = Dimension.Parse("width");
        Value latents = Value.Image("latents", LatentChannels, height, width, ElementType.F32);
        int level = 1;

        net.BeginUnit("input_blocks.0", StageKind.Convolution);
        Value x = net.Convolution(latents, "input_blocks.0.0");
        Stack<Value> skips = new([x]);
        int inputs = weights.Count("input_blocks."), outputs = weights.Count("output_blocks.");
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
                x = net.Convolution(x, $"{block}.0.op", stride: 2, height: Dimension.Parse($"height/{level}"), width: Dimension.Parse($"width/{level}"));
            }
            else
            {
                x = ResBlock(net, x, $"{block}.0");
                if (HasTransformer($"{block}.1")) x = Transformer(net, x, $"{block}.1");
            }

            skips.Push(x);
        }

        // Distilled models lack the middle's attention (SSD-1B, Segmind Vega) or all of it (KOALA-700M).
        for (int i = 0; i < MiddleParts; i++)
        {
            string part = $"middle_block.{i}";
            if (HasTransformer(part)) x = Transformer(net, x, part);
            else if (weights.HasAny($"{part}.")) x = ResBlock(net, x, part);
        }

        if (outputs != inputs) weights.Refuse($"output_blocks.{outputs}", $"{outputs} blocks up were found for {inputs} blocks down");
        for (int i = 0; i < outputs; i++)
        {
            string block = $"output_blocks.{i}";
            Value skip = skips.Count > 0 ? skips.Pop() : x;
            net.BeginUnit(block, StageKind.Convolution);
            if (skip.Height != x.Height) weights.Refuse($"{block}.0.in_layers.0.weight", "the block joins planes of different sizes");
            Value joined = net.ImageLike(x, x.Channels + skip.Channels);
            net.Emit(new Concatenate(x, skip, joined));
            x = ResBlock(net, joined, $"{block}.0");
            int next = 1;
            if (HasTransformer($"{block}.1")) x = Transformer(net, x, $"{block}.{next++}");
            if (!weights.HasAny($"{block}.{next}.conv.")) continue;

            // The plane below may be odd: the doubled image is cut to the size that the next skip has.
            net.BeginUnit($"{block}.{next}", StageKind.Convolution);
            Value like = skips.Count > 0 ? skips.Peek() : x;
            Value doubled = net.ImageLike(x, height: like.Height, width: like.Width);
            net.Emit(new Upsample(x, like, doubled));
            x = net.Convolution(doubled, $"{block}.{next}.conv");
        }

        net.BeginUnit("out", StageKind.Convolution);
        Value noise = Value.Image("noise", LatentChannels, height, width, ElementType.F32);
        net.Convolution(net.GroupNorm(x, "out.0", ResBlockEpsilon, silu: true), "out.2", output: noise);
        List<Value> given = [latents, .. _shifts.Select(shift => shift.Shift), .. _contexts.SelectMany(context => new[] { context.Keys, context.Values })];
        return new Network(ComponentNames.UNet, given, [noise], net.Units) { Precision = precision };
    }

    /// <summary>Once per prompt: context [batch, 77, width] to keys and values of every cross-attention. Comes after <see cref="Step"/>.</summary>
    /// <param name="textWidth">What the text encoders give: the width of both together.</param>
    public Network CrossAttention(int textWidth)
    {
        var net = new NetworkBuilder(weights);
        int width = _contexts.Count == 0 ? 0 : textWidth;
        Value context = Value.Tokens("context", width, TextLength, ElementType.F32);
        foreach (IGrouping<string, (Value Keys, Value Values, string Block)> transformer in _contexts.GroupBy(entry => entry.Block[..entry.Block.LastIndexOf(".transformer_blocks.", StringComparison.Ordinal)]))
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

        return new Network(ComponentNames.CrossAttention, [context], [.. _contexts.SelectMany(entry => new[] { entry.Keys, entry.Values })], net.Units) { Precision = precision };
    }

    /// <summary>
    /// Once per picture: timesteps [steps], pooled text [batch, p] and six time ids [batch, 6] to the shifts of every ResBlock, packed
    /// step by step in the order of the step network's inputs. Comes after <see cref="Step"/>.
    /// </summary>
    public Network TimeEmbedding(int pooledWidth)
    {
        var net = new NetworkBuilder(weights);
        net.BeginUnit("time_embed.0", StageKind.Transformer);
        Dimension steps = Dimension.Parse("steps");
        const int timeIds = 6;
        int timeWidth = (int)weights.Size("time_embed.0.weight", 1);
        int idsWidth = (int)weights.Size("label_emb.0.0.weight", 1) - pooledWidth, idWidth = Math.Max(0, idsWidth / timeIds);
        // A sinusoid is as many cosines as sines.
        if (timeWidth % 2 != 0) weights.Refuse("time_embed.0.weight", "an even number of inputs was expected");
        if (weights.Has("label_emb.0.0.weight") && (idsWidth <= 0 || idsWidth % (2 * timeIds) != 0))
            weights.Refuse("label_emb.0.0.weight", $"{pooledWidth} inputs and 6 even widths more were expected");
        Value timesteps = Value.Plain("timesteps", ElementType.F32, steps);
        Value pooled = Value.Plain("pooled", ElementType.F32, Batch, Dimension.Of(pooledWidth));
        Value ids = Value.Plain("time_ids", ElementType.F32, Batch, Dimension.Of(timeIds));

        // Sinusoids are taken in fp32 in every lowering: the angles reach 1000 rad.
        Value time = Value.Plain(net.Name(), ElementType.F32, steps, Dimension.Of(timeWidth));
        net.Emit(new Sinusoid(timesteps, time, timeWidth));
        time = net.Linear(net.Activation(net.Linear(time, "time_embed.0"), Nonlinearity.Silu), "time_embed.2");

        Value sizes = Value.Plain(net.Name(), ElementType.F32, Batch, Dimension.Of(timeIds * idWidth));
        net.Emit(new Sinusoid(ids, sizes, idWidth));
        Value label = Value.Plain(net.Name(), ElementType.F32, Batch, Dimension.Of(pooledWidth + timeIds * idWidth));
        net.Emit(new ConcatenateRows(pooled, sizes, label));
        label = net.Linear(net.Activation(net.Linear(label, "label_emb.0.0"), Nonlinearity.Silu), "label_emb.0.2", channels: time.Channels);

        Value sum = Value.Plain(net.Name(), ElementType.F32, steps, Batch, Dimension.Of(time.Channels));
        net.Emit(new AddOuter(time, label, sum));
        Value embedding = net.Activation(sum, Nonlinearity.Silu);
        List<Value> parts = [.. _shifts.Select(shift => net.Linear(embedding, shift.Key, channels: shift.Shift.Channels))];
        Value packed = Value.Plain("embeddings", null, steps, Dimension.Parse(string.Create(CultureInfo.InvariantCulture, $"batch*{parts.Sum(part => part.Channels)}")));
        net.Emit(new PackSteps(parts, packed));
        return new Network(ComponentNames.TimeEmbedding, [timesteps, pooled, ids], [packed], net.Units) { Precision = precision };
    }

    private Value ResBlock(NetworkBuilder net, Value x, string key)
    {
        // A block that begins with a concatenation has its unit already.
        if (net.Units[^1].Operations is not [Concatenate]) net.BeginUnit(key, StageKind.Convolution);
        int channels = (int)weights.Size($"{key}.in_layers.2.weight", 0);
        Value shift = Value.Plain($"shift.{key}", null, Batch, Dimension.Of(channels));
        _shifts.Add((shift, $"{key}.emb_layers.1"));
        Value h = net.Convolution(net.GroupNorm(x, $"{key}.in_layers.0", ResBlockEpsilon, silu: true), $"{key}.in_layers.2");
        h = net.GroupNorm(h, $"{key}.out_layers.0", ResBlockEpsilon, silu: true, shift);
        h = net.Convolution(h, $"{key}.out_layers.3", channels: channels);
        bool sameWidth = x.Channels == h.Channels && !weights.HasAny($"{key}.skip_connection.");
        return net.Add(sameWidth ? x : net.Convolution(x, $"{key}.skip_connection", channels: channels), h);
    }

    private bool HasTransformer(string key) => weights.HasAny($"{key}.transformer_blocks.") || weights.HasAny($"{key}.proj_in.");

    private Value Transformer(NetworkBuilder net, Value x, string key)
    {
        // What touches the image belongs to the convolution units on either side, where it can be computed together with their work:
        // the norm with the sum before it, the sum with the norm after it.
        int depth = weights.Count($"{key}.transformer_blocks.");
        if (depth == 0) weights.Refuse($"{key}.transformer_blocks.0", "missing");
        if (x.Channels > HeadWidth && x.Channels % HeadWidth != 0)
            weights.Refuse($"{key}.proj_in.weight", $"attention heads of {HeadWidth} channels were expected");
        if (_contexts.Count + depth > MostTransformerBlocks)
        {
            weights.Refuse($"{key}.transformer_blocks", $"{MostTransformerBlocks} transformer blocks in all were expected at most");
            depth = 0;
        }

        Value normed = net.GroupNorm(x, $"{key}.norm", TransformerEpsilon, silu: false);
        net.BeginUnit($"{key}.0", StageKind.Transformer);
        Value tokens = Value.Tokens(net.Name(), x.Channels, Dimension.Parse($"{x.Height}*{x.Width}"));
        net.Emit(new ToTokens(normed, tokens));
        Value sum = net.Linear(tokens, $"{key}.proj_in", channels: x.Channels);
        Value y = net.LayerNorm(sum, $"{key}.transformer_blocks.0.norm1");
        int heads = Heads(sum.Channels), width = sum.Channels;
        for (int i = 0; i < depth; i++)
        {
            string block = $"{key}.transformer_blocks.{i}";
            if (i > 0) net.BeginUnit($"{key}.{i}", StageKind.Transformer);
            Value attended = net.Attention(
                net.Linear(y, $"{block}.attn1.to_q", bias: false, width),
                net.Linear(y, $"{block}.attn1.to_k", bias: false, width),
                net.Linear(y, $"{block}.attn1.to_v", bias: false, width),
                heads);
            (y, sum) = net.ResidualLayerNorm(
                net.Linear(attended, $"{block}.attn1.to_out.0", bias: false, width), $"{block}.attn1.to_out.0.bias", sum, $"{block}.norm2");

            Value keys = Value.Tokens($"key.{block}", sum.Channels, TextLength), values = Value.Tokens($"value.{block}", sum.Channels, TextLength);
            _contexts.Add((keys, values, block));
            attended = net.Attention(net.Linear(y, $"{block}.attn2.to_q", bias: false, width), keys, values, heads);
            (y, sum) = net.ResidualLayerNorm(
                net.Linear(attended, $"{block}.attn2.to_out.0", bias: false, width), $"{block}.attn2.to_out.0.bias", sum, $"{block}.norm3");

            int wide = (int)weights.Size($"{block}.ff.net.0.proj.weight", 0);
            if (wide % 2 != 0) weights.Refuse($"{block}.ff.net.0.proj.weight", "an even number of rows was expected");
            Value gated = net.TokensLike(y, wide / 2);
            net.Emit(new Geglu(y, gated, weights.Get($"{block}.ff.net.0.proj.weight", wide, y.Channels), weights.Get($"{block}.ff.net.0.proj.bias", wide)));
            Value fed = net.Linear(gated, $"{block}.ff.net.2", bias: false, width);
            if (i + 1 < depth) (y, sum) = net.ResidualLayerNorm(fed, $"{block}.ff.net.2.bias", sum, $"{key}.transformer_blocks.{i + 1}.norm1");
            else sum = net.ResidualBias(fed, $"{block}.ff.net.2.bias", sum);
        }

        Value projected = net.Linear(sum, $"{key}.proj_out", bias: false, x.Channels), image = net.ImageLike(x);
        net.BeginUnit($"{key}.sum", StageKind.Convolution);
        net.Emit(new ToImage(projected, x, image));
        return net.Add(image, x, weights.Get($"{key}.proj_out.bias", x.Channels));
    }
}

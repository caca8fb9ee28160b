using MuseAtelier.Format;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// The VAE's decoder and encoder. In fp16 the residual stream is divided by a power of two because the stock SDXL decoder's stream exceeds
/// the range of fp16 on some pictures. Only GroupNorms, 1x1 shortcuts, additions and resampling convolutions read the stream. The function
/// therefore stays the same when everything written to the stream is divided (weights and biases of the first convolution, of every
/// block's second convolution and of the attention's output; the biases of shortcuts and resampling convolutions), and the epsilon of every
/// GroupNorm that reads it is divided by the square. Powers of two leave the mantissas unchanged. In fp32 this is not needed, and the
/// weights stay as in the checkpoint. The networks process one picture at a time: decoding sets the memory peak of a whole run, and a batch
/// would multiply it.
/// </summary>
internal sealed class VaeNetwork(CheckpointWeights weights, ElementType precision)
{
    /// <summary>Latents are multiplied by this after encoding and divided by it before decoding.</summary>
    public const float LatentScale = 0.13025f;

    /// <summary>In fp16 the residual stream is divided by 2 to this power.</summary>
    public const int RescalePower = 4;

    /// <summary>Sizes of the plane within the networks: the picture is 8 times as large as the latent.</summary>
    private const int Levels = 4;

    private const float Epsilon = 1e-6f;
    private static readonly Dimension One = Dimension.Of(1);

    private float Rescale => precision == ElementType.F16 ? 1f / (1 << RescalePower) : 1;

    private float StreamEpsilon => Epsilon * Rescale * Rescale;

    /// <summary>
    /// The decoder: latents [1, 4, height, width], already divided by the latent scale, to image [1, 3, 8 height, 8 width], -1 to 1.
    /// </summary>
    /// <param name="name">The component's name.</param>
    public Network Decoder(string name)
    {
        var net = new NetworkBuilder(weights);
        net.BeginUnit("decoder", StageKind.Convolution);
        Value latents = Value.Image("latents", UNetNetwork.LatentChannels, Rows(1), Columns(1), ElementType.F32, One);
        Value x = net.Convolution(latents, "post_quant_conv");
        x = net.Convolution(x, "decoder.conv_in", scale: Rescale, biasScale: Rescale);
        x = Middle(net, x, "decoder.mid");
        int levels = Count("decoder.up."), factor = 1;
        for (int level = levels - 1; level >= 0; level--)
        {
            int blocks = weights.Count($"decoder.up.{level}.block.");
            for (int i = 0; i < blocks; i++) x = ResBlock(net, x, $"decoder.up.{level}.block.{i}");
            if (level == 0) break;
            factor *= 2;
            Value doubled = net.ImageLike(x, height: Rows(factor), width: Columns(factor));
            net.Emit(new Upsample(x, null, doubled));
            x = net.Convolution(doubled, $"decoder.up.{level}.upsample.conv", biasScale: Rescale);
        }

        Value image = Value.Image("image", 3, x.Height, x.Width, ElementType.F32, One);
        net.Convolution(net.GroupNorm(x, "decoder.norm_out", StreamEpsilon, silu: true), "decoder.conv_out", output: image);
        return new Network(name, [latents], [image], net.Units) { Precision = precision };
    }

    /// <summary>
    /// The encoder: image [1, 3, 8 height, 8 width], -1 to 1, to mean and log variance [1, 4, height, width], before the latent scale.
    /// </summary>
    /// <param name="name">The component's name.</param>
    public Network Encoder(string name = ComponentNames.VaeEncoder)
    {
        var net = new NetworkBuilder(weights);
        net.BeginUnit("encoder", StageKind.Convolution);
        int levels = Count("encoder.down."), factor = 1 << Math.Max(0, levels - 1);
        Value image = Value.Image("image", 3, Rows(factor), Columns(factor), ElementType.F32, One);
        Value x = net.Convolution(image, "encoder.conv_in", scale: Rescale, biasScale: Rescale);
        for (int level = 0; level < levels; level++)
        {
            int blocks = weights.Count($"encoder.down.{level}.block.");
            for (int i = 0; i < blocks; i++) x = ResBlock(net, x, $"encoder.down.{level}.block.{i}");
            if (level == levels - 1) break;
            factor /= 2;
            string key = $"encoder.down.{level}.downsample.conv";
            x = net.Convolution(x, key, stride: 2, Rows(factor), Columns(factor), biasScale: Rescale, padOnlyEnd: true);
        }

        x = Middle(net, x, "encoder.mid");
        x = net.Convolution(net.GroupNorm(x, "encoder.norm_out", StreamEpsilon, silu: true), "encoder.conv_out");
        Value moments = net.Convolution(x, "quant_conv", channels: 2 * UNetNetwork.LatentChannels);
        Value mean = Half("mean"), logVariance = Half("log_variance");
        net.Emit(new Halve(moments, mean, logVariance));
        return new Network(name, [image], [mean, logVariance], net.Units) { Precision = precision };

        Value Half(string name) => Value.Image(name, moments.Channels / 2, x.Height, x.Width, ElementType.F32, One);
    }

    /// <summary>Whether the file has any tensor of the encoder, which is only needed to encode existing pictures.</summary>
    public bool HasEncoder => weights.HasAny("encoder.");

    private static Dimension Rows(int factor) => Dimension.Parse(factor == 1 ? "height" : $"height*{factor}");

    private static Dimension Columns(int factor) => Dimension.Parse(factor == 1 ? "width" : $"width*{factor}");

    private int Count(string key)
    {
        int levels = weights.Count(key);
        if (levels != Levels) weights.Refuse(key.TrimEnd('.'), $"found {levels} levels, {Levels} were expected");
        return Math.Min(levels, Levels);
    }

    private Value ResBlock(NetworkBuilder net, Value x, string key)
    {
        Value h = net.Convolution(net.GroupNorm(x, $"{key}.norm1", StreamEpsilon, silu: true), $"{key}.conv1");
        h = net.GroupNorm(h, $"{key}.norm2", Epsilon, silu: true);
        h = net.Convolution(h, $"{key}.conv2", scale: Rescale, biasScale: Rescale, channels: h.Channels);
        bool sameWidth = x.Channels == h.Channels && !weights.HasAny($"{key}.nin_shortcut.");
        return net.Add(sameWidth ? x : net.Convolution(x, $"{key}.nin_shortcut", biasScale: Rescale, channels: h.Channels), h);
    }

    private Value Middle(NetworkBuilder net, Value x, string key)
    {
        x = ResBlock(net, x, $"{key}.block_1");
        string attention = $"{key}.attn_1";
        Value tokens = Value.Tokens(net.Name(), x.Channels, Dimension.Parse($"{x.Height}*{x.Width}"), rows: x.Rows);
        net.Emit(new ToTokens(net.GroupNorm(x, $"{attention}.norm", StreamEpsilon, silu: false), tokens));
        int channels = x.Channels;
        Value attended = net.Attention(Product(tokens, "q", 1), Product(tokens, "k", 1), Product(tokens, "v", 1), heads: 1);
        Value back = net.ImageLike(x);
        net.Emit(new ToImage(Product(attended, "proj_out", Rescale), x, back));
        return ResBlock(net, net.Add(back, x), $"{key}.block_2");

        Value Product(Value input, string name, float scale)
        {
            // Most files store these weights as 1x1 convolutions, some as matrices.
            Weight kernel = weights.Get($"{attention}.{name}.weight", scale, channels, channels);
            Value y = net.TokensLike(input);
            net.Emit(new Linear(input, y, kernel, weights.Get($"{attention}.{name}.bias", scale, channels)));
            return y;
        }
    }
}

using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// The small networks of Real-ESRGAN: a row of convolutions at the size of the input, pixels from channels at the end, and the input's own
/// pixels added (<c>SRVGGNetCompact</c> in Real-ESRGAN's <c>realesrgan/archs/srvgg_arch.py</c>).
/// </summary>
internal sealed class CompactNetwork
{
    /// <summary>The name by which a file is recognised, together with <see cref="SlopeMark"/>.</summary>
    public const string Mark = "body.0.weight";

    /// <summary>The slopes of the first rectifier, which is a vector.</summary>
    public const string SlopeMark = "body.1.weight";

    private const int MostLayers = 512;
    private const int LargestScale = 8;

    private readonly CheckpointWeights _weights;
    private readonly int _layers;
    private readonly int _features;

    /// <summary>Reads the sizes of the network from the weights.</summary>
    public CompactNetwork(CheckpointWeights weights)
    {
        _weights = weights;
        // Convolutions have even numbers, the rectifiers between them odd ones.
        while (_layers < MostLayers && weights.Has(Invariant($"body.{2 * _layers}.weight"))) _layers++;
        _features = (int)weights.Size(Mark, 0);
        string last = Invariant($"body.{2 * (_layers - 1)}.weight");
        long channels = weights.Size(last, 0);
        Scale = (int)Math.Round(Math.Sqrt(channels / (double)UpscalerBuilder.Channels));
        if (Scale is < 1 or > LargestScale || Scale * Scale * UpscalerBuilder.Channels != channels)
        {
            string expected = Invariant($"3 times the square of a factor up to {LargestScale} were expected");
            weights.Refuse(last, Invariant($"found {channels} channels, {expected}"));
            Scale = 1;
        }
    }

    /// <summary>The factor of width and height.</summary>
    public int Scale { get; }

    /// <summary>The properties that a runner needs.</summary>
    public UpscalerSpec Spec(long parameters) => new()
    {
        Architecture = UpscalerSpec.Compact,
        Scale = Scale,
        Multiple = 1,
        Reach = Math.Max(1, _layers),
        Features = _features,
        Blocks = _layers,
        WorkingElements = Math.Max(1, Math.Max(2 * _features, 3 * UpscalerBuilder.Channels * Scale * Scale)),
        Parameters = parameters,
    };

    /// <summary>The network.</summary>
    /// <param name="name">The component's name.</param>
    /// <param name="precision">The element type of values that have no type of their own.</param>
    public Network Describe(string name, ElementType precision)
    {
        var builder = new UpscalerBuilder(name, _weights);
        NetworkBuilder net = builder.Net;
        Value x = builder.Image;
        for (int layer = 0; layer < _layers; layer++)
        {
            bool isLast = layer == _layers - 1;
            int channels = isLast ? UpscalerBuilder.Channels * Scale * Scale : _features;
            x = net.Convolution(x, Invariant($"body.{2 * layer}"), channels: channels);
            if (isLast) break;
            Value rectified = net.ImageLike(x);
            net.Emit(new ParametricRelu(x, rectified, _weights.Get(Invariant($"body.{2 * layer + 1}.weight"), _features)));
            x = rectified;
        }

        return builder.Finish(net.Add(Shuffled(builder, x), Repeated(builder)), Scale, precision);
    }

    private Value Shuffled(UpscalerBuilder builder, Value x)
    {
        if (Scale == 1) return x;
        Value y = builder.Sized(x, UpscalerBuilder.Channels, Scale, 1);
        builder.Net.Emit(new PixelShuffle(x, y, Scale));
        return y;
    }

    private Value Repeated(UpscalerBuilder builder)
    {
        if (Scale == 1) return builder.Image;
        Value y = builder.Sized(builder.Image, UpscalerBuilder.Channels, Scale, 1);
        builder.Net.Emit(new Upsample(builder.Image, null, y, Scale));
        return y;
    }
}

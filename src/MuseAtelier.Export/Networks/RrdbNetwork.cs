using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// The networks of ESRGAN and Real-ESRGAN: residual-in-residual dense blocks, then convolutions at two, four or eight times the size
/// (Wang et al., "ESRGAN" (2018); <c>RRDBNet</c> in BasicSR's <c>basicsr/archs/rrdbnet_arch.py</c>). Networks for less than four times the
/// size read squares of pixels as channels.
/// </summary>
internal sealed class RrdbNetwork
{
    private const int DenseBlocks = 3;
    private const int DenseLayers = 5;
    private const float Slope = 0.2f;
    private const float ResidualFactor = 0.2f;
    private const int MostUpsamplings = 3;

    private readonly CheckpointWeights _weights;
    private readonly RrdbNames _names;
    private readonly int _blocks;
    private readonly int _upsamplings;
    private readonly int _unshuffle;
    private readonly int _features;
    private readonly int _growth;

    /// <summary>Reads the sizes of the network from the weights.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="names">Their names.</param>
    public RrdbNetwork(CheckpointWeights weights, RrdbNames names)
    {
        _weights = weights;
        _names = names;
        _blocks = weights.Count(names.Blocks) - (names.EndsBlocks ? 1 : 0);
        while (_upsamplings < MostUpsamplings && weights.Has($"{names.Upsampling(_upsamplings)}.weight")) _upsamplings++;
        _features = (int)weights.Size($"{names.First}.weight", 0);
        _growth = (int)weights.Size($"{names.Layer(0, 0, 0)}.weight", 0);
        int channels = (int)weights.Size($"{names.First}.weight", 1);
        _unshuffle = channels switch
        {
            UpscalerBuilder.Channels * 4 => 2,
            UpscalerBuilder.Channels * 16 => 4,
            _ => 1,
        };
        if ((1 << _upsamplings) < _unshuffle) weights.Refuse($"{names.First}.weight", "the network makes pictures smaller");
    }

    /// <summary>The properties that a runner needs.</summary>
    public UpscalerSpec Spec(long parameters)
    {
        // Two images of all features at the full size, or the widest ones of a dense block, whichever are larger.
        int plane = (1 << (2 * _upsamplings)) * 2 * _features, dense = 2 * _features + 2 * (_features + DenseLayers * _growth);
        int layers = _blocks * DenseBlocks * DenseLayers + 2;
        return new UpscalerSpec
        {
            Architecture = UpscalerSpec.Rrdb,
            Scale = Math.Max(1, (1 << _upsamplings) / _unshuffle),
            Multiple = _unshuffle,
            // Each layer reads one pixel of its plane around a pixel; those at the full size read less than three of the first plane.
            Reach = (layers + 3) * _unshuffle,
            Features = _features,
            Blocks = _blocks,
            WorkingElements = Math.Max(1, Math.Max(plane, dense) / (_unshuffle * _unshuffle)),
            Parameters = parameters,
        };
    }

    /// <summary>The network.</summary>
    /// <param name="name">The component's name.</param>
    /// <param name="precision">The element type of values that have no type of their own.</param>
    public Network Describe(string name, ElementType precision)
    {
        var builder = new UpscalerBuilder(name, _weights);
        NetworkBuilder net = builder.Net;
        Value image = _unshuffle == 1 ? builder.Image : builder.Unshuffled(builder.Image, _unshuffle);
        Value first = net.Convolution(image, _names.First, channels: _features);
        Value x = first;
        for (int block = 0; block < _blocks; block++) x = Block(builder, x, block);
        x = net.Add(net.Convolution(x, _names.Body(_blocks), channels: _features), first);
        for (int i = 0; i < _upsamplings; i++)
        {
            Value enlarged = builder.Sized(x, x.Channels, 2 << i, _unshuffle);
            net.Emit(new Upsample(x, null, enlarged));
            x = builder.Leaky(net.Convolution(enlarged, _names.Upsampling(i), channels: _features), Slope);
        }

        x = builder.Leaky(net.Convolution(x, _names.Fine(_upsamplings), channels: _features), Slope);
        x = net.Convolution(x, _names.Last(_upsamplings), channels: UpscalerBuilder.Channels);
        return builder.Finish(x, Math.Max(1, (1 << _upsamplings) / _unshuffle), precision);
    }

    private Value Block(UpscalerBuilder builder, Value x, int block)
    {
        Value y = x;
        for (int dense = 0; dense < DenseBlocks; dense++) y = Dense(builder, y, block, dense);
        return Scaled(builder.Net, y, x);
    }

    // Each layer reads the block's input and the results of all layers before it.
    private Value Dense(UpscalerBuilder builder, Value x, int block, int dense)
    {
        NetworkBuilder net = builder.Net;
        Value all = x;
        for (int layer = 0; layer < DenseLayers - 1; layer++)
        {
            string key = _names.Layer(block, dense, layer);
            Value y = builder.Leaky(net.Convolution(all, key, channels: _growth), Slope);
            Value joined = net.ImageLike(all, all.Channels + _growth);
            net.Emit(new Concatenate(all, y, joined));
            all = joined;
        }

        return Scaled(net, net.Convolution(all, _names.Layer(block, dense, DenseLayers - 1), channels: _features), x);
    }

    private static Value Scaled(NetworkBuilder net, Value branch, Value residual)
    {
        Value sum = net.ImageLike(residual);
        net.Emit(new AddScaled(branch, residual, sum, ResidualFactor));
        return sum;
    }
}

/// <summary>The names of an RRDB network's layers, which differ between the programs that trained it.</summary>
internal abstract class RrdbNames
{
    /// <summary>The names of ESRGAN's first release, by the numbers of nested containers.</summary>
    public static RrdbNames Numbered { get; } = new NumberedNames();

    /// <summary>The names of ESRGAN's second release, which BSRGAN uses as well.</summary>
    public static RrdbNames Trunk { get; } = new WordedNames("RRDB_trunk.", "RDB", "trunk_conv", "upconv", "HRconv");

    /// <summary>The names of BasicSR and Real-ESRGAN.</summary>
    public static RrdbNames Worded { get; } = new WordedNames("body.", "rdb", "conv_body", "conv_up", "conv_hr");

    /// <summary>The name by which a file is recognised.</summary>
    public string Mark => $"{Layer(0, 0, 0)}.weight";

    /// <summary>The first convolution.</summary>
    public abstract string First { get; }

    /// <summary>The prefix of the blocks' numbers.</summary>
    public abstract string Blocks { get; }

    /// <summary>Whether the convolution after the blocks has the number after the last of them.</summary>
    public virtual bool EndsBlocks => false;

    /// <summary>A layer of a dense block; all numbers are from 0.</summary>
    public abstract string Layer(int block, int dense, int layer);

    /// <summary>The convolution after the blocks.</summary>
    /// <param name="blocks">The number of blocks.</param>
    public abstract string Body(int blocks);

    /// <summary>The convolution after an enlargement, from 0.</summary>
    public abstract string Upsampling(int index);

    /// <summary>The convolution at the full size.</summary>
    /// <param name="upsamplings">The number of enlargements.</param>
    public abstract string Fine(int upsamplings);

    /// <summary>The last convolution.</summary>
    /// <param name="upsamplings">The number of enlargements.</param>
    public abstract string Last(int upsamplings);

    // An enlargement is three entries of the outer container: the enlargement itself, its convolution and its rectifier.
    private sealed class NumberedNames : RrdbNames
    {
        public override string First => "model.0";

        public override string Blocks => "model.1.sub.";

        public override bool EndsBlocks => true;

        public override string Layer(int block, int dense, int layer) => Invariant($"model.1.sub.{block}.RDB{dense + 1}.conv{layer + 1}.0");

        public override string Body(int blocks) => Invariant($"model.1.sub.{blocks}");

        public override string Upsampling(int index) => Invariant($"model.{3 * index + 3}");

        public override string Fine(int upsamplings) => Invariant($"model.{3 * upsamplings + 2}");

        public override string Last(int upsamplings) => Invariant($"model.{3 * upsamplings + 4}");
    }

    private sealed class WordedNames(string blocks, string dense, string body, string upsampling, string fine) : RrdbNames
    {
        public override string First => "conv_first";

        public override string Blocks => blocks;

        public override string Layer(int block, int denseBlock, int layer) =>
            Invariant($"{blocks}{block}.{dense}{denseBlock + 1}.conv{layer + 1}");

        public override string Body(int count) => body;

        public override string Upsampling(int index) => Invariant($"{upsampling}{index + 1}");

        public override string Fine(int upsamplings) => fine;

        public override string Last(int upsamplings) => "conv_last";
    }
}

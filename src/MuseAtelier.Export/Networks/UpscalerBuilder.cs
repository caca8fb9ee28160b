using MuseAtelier.Format;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// The frame that the networks of all upscalers have: bytes of a picture in, bytes of an enlarged one out, and whether a number was not
/// finite. The networks process one tile at a time; a package's <c>height</c> and <c>width</c> are those of a tile in px.
/// </summary>
internal sealed class UpscalerBuilder
{
    /// <summary>Channels of a picture.</summary>
    public const int Channels = 3;

    private static readonly Dimension One = Dimension.Of(1);

    private readonly Value _source = Bytes("source", scale: 1);

    /// <summary>Begins a network.</summary>
    /// <param name="name">The component's name.</param>
    /// <param name="weights">The weights.</param>
    public UpscalerBuilder(string name, CheckpointWeights weights)
    {
        Net = new NetworkBuilder(weights);
        Net.BeginUnit(name, StageKind.Convolution);
        Name = name;
        Image = Value.Image(Net.Name(), Channels, Side("height", 1, 1), Side("width", 1, 1), rows: One);
        Net.Emit(new FromPixels(_source, Image));
    }

    /// <summary>The component's name.</summary>
    public string Name { get; }

    /// <summary>The network.</summary>
    public NetworkBuilder Net { get; }

    /// <summary>The picture, 0 to 1.</summary>
    public Value Image { get; }

    /// <summary>Makes a channel of each pixel of a square, so that the plane is smaller by the factor.</summary>
    public Value Unshuffled(Value x, int factor)
    {
        Value y = Net.ImageLike(x, x.Channels * factor * factor, Side("height", 1, factor), Side("width", 1, factor));
        Net.Emit(new PixelUnshuffle(x, y, factor));
        return y;
    }

    /// <summary>An image of the plane's size times a factor, divided by another.</summary>
    public Value Sized(Value like, int channels, int factor, int divisor) =>
        Net.ImageLike(like, channels, Side("height", factor, divisor), Side("width", factor, divisor));

    /// <summary>Applies a leaky rectifier.</summary>
    public Value Leaky(Value x, float slope)
    {
        Value y = Net.ImageLike(x);
        Net.Emit(new LeakyRelu(x, y, slope));
        return y;
    }

    /// <summary>Ends the network with its last image, 0 to 1.</summary>
    /// <param name="image">The image.</param>
    /// <param name="scale">The factor of width and height in all.</param>
    /// <param name="precision">The element type of values that have no type of their own.</param>
    public Network Finish(Value image, int scale, ElementType precision)
    {
        Value border = Value.Image("image", Channels, image.Height, image.Width, ElementType.F32, One);
        Value pixels = Bytes("pixels", scale);
        Value fault = Value.Plain("fault", ElementType.F32);
        Net.Emit(new ToBorder(image, border));
        Net.Emit(new ToPixels(border, pixels, IsUnit: true));
        Net.Emit(new FaultOf(border, fault));
        return new Network(Name, [_source], [pixels, fault], Net.Units) { Precision = precision };
    }

    private static Value Bytes(string name, int scale) =>
        Value.Plain(name, ElementType.U8, One, Side("height", scale, 1), Side("width", scale, 1), Dimension.Of(Channels));

    private static Dimension Side(string side, int factor, int divisor)
    {
        string divided = divisor == 1 ? side : $"{side}/{divisor}";
        return Dimension.Parse(factor == 1 ? divided : $"{divided}*{factor}");
    }
}

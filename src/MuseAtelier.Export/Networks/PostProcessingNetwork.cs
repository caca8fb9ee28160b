using MuseAtelier.Format;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// The post-processing of a decoded image. It runs on the device, so that a picture leaves the device only once, as bytes. It has no
/// weights.
/// </summary>
internal static class PostProcessingNetwork
{
    private static readonly Dimension One = Dimension.Of(1);
    private static readonly Dimension Channels = Dimension.Of(3);
    private static readonly Dimension Height = Dimension.Parse("height*8");
    private static readonly Dimension Width = Dimension.Parse("width*8");

    /// <summary>
    /// image [1, 3, 8 height, 8 width], -1 to 1, to pixels [1, 8 height, 8 width, 3], 8 bits a channel, and fault, one number: 0 where
    /// every element of the image is finite, else NaN.
    /// </summary>
    public static Network ToPixels()
    {
        Value image = Image();
        Value pixels = Bytes("pixels", Height, Width, Channels);
        Value fault = Value.Plain("fault", ElementType.F32);
        return Finish(ComponentNames.PostProcessing, [image], pixels, fault, [new ToPixels(image, pixels), new FaultOf(image, fault)]);
    }

    /// <summary>
    /// The same with a frame: pixels is [1, canvas height, canvas width, 3]. rows [canvas height] and columns [canvas width] name the row
    /// and the column of the picture at that place. colour [1, canvas height, canvas width, 3] is added by the frame, and keep
    /// [1, canvas height, canvas width, 1] the share of the picture that stays, where 255 is all of it. colour is at most 255 less keep.
    /// </summary>
    public static Network ToFramedPixels()
    {
        Dimension height = Dimension.Parse("canvas_height"), width = Dimension.Parse("canvas_width");
        Value image = Image();
        Value picture = Bytes("picture", Height, Width, Channels);
        Value pixels = Bytes("pixels", height, width, Channels);
        Value fault = Value.Plain("fault", ElementType.F32);
        Value rows = Value.Plain("rows", ElementType.I64, height);
        Value columns = Value.Plain("columns", ElementType.I64, width);
        Value colour = Bytes("colour", height, width, Channels);
        Value keep = Bytes("keep", height, width, One);
        List<Operation> operations =
        [
            new ToPixels(image, picture),
            new LayFrame(picture, rows, columns, colour, keep, pixels),
            new FaultOf(image, fault),
        ];
        return Finish(ComponentNames.Framing, [image, rows, columns, colour, keep], pixels, fault, operations);
    }

    private static Network Finish(string name, IReadOnlyList<Value> inputs, Value pixels, Value fault, List<Operation> operations) =>
        new(name, inputs, [pixels, fault], [new Unit(name, StageKind.Convolution, operations)]) { Precision = ElementType.F32 };

    private static Value Image() => Value.Plain("image", ElementType.F32, One, Channels, Height, Width);

    private static Value Bytes(string name, Dimension height, Dimension width, Dimension channels) =>
        Value.Plain(name, ElementType.U8, One, height, width, channels);
}

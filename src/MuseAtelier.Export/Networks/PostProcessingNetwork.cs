using MuseAtelier.Packages;

namespace MuseAtelier.Export.Networks;

/// <summary>What comes after decoding, on the device, so that a picture leaves it once and as bytes. Has no weights.</summary>
internal static class PostProcessingNetwork
{
    private static readonly Dimension One = Dimension.Of(1), Channels = Dimension.Of(3), Height = Dimension.Parse("height*8"), Width = Dimension.Parse("width*8");

    /// <summary>
    /// image [1, 3, 8 height, 8 width], -1 to 1, to pixels [1, 8 height, 8 width, 3], 8 bits a channel, and fault, one number: 0 where the image
    /// is finite throughout, else not a number.
    /// </summary>
    public static Network ToPixels()
    {
        Value image = Image(), pixels = Bytes("pixels", Height, Width, Channels), fault = Value.Plain("fault", ElementType.F32);
        return Finish(ComponentNames.Finishing, [image], pixels, fault, [new ToPixels(image, pixels), new FaultOf(image, fault)]);
    }

    /// <summary>
    /// The same with a frame: pixels is [1, canvas height, canvas width, 3]. rows [canvas height] and columns [canvas width] tell which of the
    /// picture's lie there, colour [1, canvas height, canvas width, 3] and keep [1, canvas height, canvas width, 1] what the frame adds and how much
    /// of the picture stays, 255 being all; colour is at most 255 less keep.
    /// </summary>
    public static Network ToFramedPixels()
    {
        Dimension height = Dimension.Parse("canvas_height"), width = Dimension.Parse("canvas_width");
        Value image = Image(), picture = Bytes("picture", Height, Width, Channels), pixels = Bytes("pixels", height, width, Channels), fault = Value.Plain("fault", ElementType.F32);
        Value rows = Value.Plain("rows", ElementType.I64, height), columns = Value.Plain("columns", ElementType.I64, width);
        Value colour = Bytes("colour", height, width, Channels), keep = Bytes("keep", height, width, One);
        return Finish(
            ComponentNames.Framing, [image, rows, columns, colour, keep], pixels, fault,
            [new ToPixels(image, picture), new LayFrame(picture, rows, columns, colour, keep, pixels), new FaultOf(image, fault)]);
    }

    private static Network Finish(string name, IReadOnlyList<Value> inputs, Value pixels, Value fault, List<Operation> operations) =>
        new(name, inputs, [pixels, fault], [new Unit(name, StageKind.Convolution, operations)]) { Precision = ElementType.F32 };

    private static Value Image() => Value.Plain("image", ElementType.F32, One, Channels, Height, Width);

    private static Value Bytes(string name, Dimension height, Dimension width, Dimension channels) => Value.Plain(name, ElementType.U8, One, height, width, channels);
}

using MuseAtelier.Packages;

namespace MuseAtelier.Export.Networks;

/// <summary>What comes after decoding, on the device, so that a picture leaves it once and as bytes. Has no weights.</summary>
internal static class FinishingNetwork
{
    /// <summary>
    /// image [1, 3, 8 height, 8 width], -1 to 1, to pixels [1, 8 height, 8 width, 3], 8 bits a channel, and fault, one number: 0 where the image
    /// is finite throughout, else not a number.
    /// </summary>
    public static Network ToPixels()
    {
        Dimension one = Dimension.Of(1), channels = Dimension.Of(3), height = Dimension.Parse("height*8"), width = Dimension.Parse("width*8");
        Value image = Value.Plain("image", ElementType.F32, one, channels, height, width);
        Value pixels = Value.Plain("pixels", ElementType.U8, one, height, width, channels), fault = Value.Plain("fault", ElementType.F32);
        var unit = new Unit("finishing", StageKind.Convolution, [new ToPixels(image, pixels), new FaultOf(image, fault)]);
        return new Network(ComponentNames.Finishing, [image], [pixels, fault], [unit]);
    }
}

namespace MuseAtelier.Format;

/// <summary>
/// The properties of an upscaler that a runner needs. The shapes of its package name a tile's <c>height</c> and <c>width</c> in px.
/// </summary>
internal sealed record UpscalerSpec
{
    /// <summary>The architecture of ESRGAN and Real-ESRGAN: residual-in-residual dense blocks.</summary>
    public const string Rrdb = "rrdb";

    /// <summary>The architecture of Real-ESRGAN's small models.</summary>
    public const string Compact = "compact";

    /// <summary>The largest factor of width and height.</summary>
    public const int LargestScale = 8;

    /// <summary>The largest number of which a tile's sides may have to be multiples.</summary>
    public const int LargestMultiple = 4;

    /// <summary>The largest <see cref="WorkingElements"/>.</summary>
    public const int MostWorkingElements = 1 << 20;

    /// <summary>The name of the architecture.</summary>
    public required string Architecture { get; init; }

    /// <summary>The factor of width and height, 1 to 8.</summary>
    public required int Scale { get; init; }

    /// <summary>The number of which both sides of a tile must be multiples: 1, 2 or 4.</summary>
    public required int Multiple { get; init; }

    /// <summary>The largest distance in px, in the input, at which a pixel of the output still depends on one of the input.</summary>
    public required int Reach { get; init; }

    /// <summary>Features of the network.</summary>
    public required int Features { get; init; }

    /// <summary>The number of blocks, or of convolutions in the compact architecture.</summary>
    public required int Blocks { get; init; }

    /// <summary>The numbers that the widest moment of a run holds, for each pixel of the input.</summary>
    public required int WorkingElements { get; init; }

    /// <summary>Number of parameters.</summary>
    public required long Parameters { get; init; }
}

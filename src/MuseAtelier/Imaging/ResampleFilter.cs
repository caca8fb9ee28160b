namespace MuseAtelier.Imaging;

/// <summary>The filters by which pictures are scaled, by Pillow's names (src/libImaging/Resample.c).</summary>
internal enum ResampleFilter
{
    /// <summary>The nearest pixel.</summary>
    Nearest,

    /// <summary>A triangle over one pixel on each side.</summary>
    Bilinear,

    /// <summary>Cubic convolution with a = -0.5 over two pixels on each side.</summary>
    Bicubic,

    /// <summary>A windowed sinc over three pixels on each side.</summary>
    Lanczos,
}

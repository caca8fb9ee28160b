namespace MuseAtelier.Diffusion;

/// <summary>Previews of the pictures that are denoised together, side by side in rows. Painted over and over, without allocating.</summary>
internal sealed class PreviewGrid
{
    private const int Channels = 3;

    private readonly byte[] _pixels;
    private readonly int _width, _height, _columns;

    /// <param name="pictures">Pictures on the sheet; places that are left over stay black.</param>
    /// <param name="height">A latent's height.</param>
    /// <param name="width">A latent's width.</param>
    public PreviewGrid(int pictures, int height, int width)
    {
        (_width, _height, _columns) = (width, height, (int)Math.Ceiling(Math.Sqrt(pictures)));
        int rows = (pictures + _columns - 1) / _columns;
        _pixels = new byte[rows * height * _columns * width * Channels];
        Preview = new LatentPreview(_columns * width, rows * height, _pixels, _columns);
    }

    /// <summary>The sheet; its pixels change with <see cref="Paint"/>.</summary>
    public LatentPreview Preview { get; }

    /// <summary>Paints one of the pictures.</summary>
    /// <param name="picture">Which, from 0.</param>
    /// <param name="latents">[4, h, w] fp32, scaled as the UNet sees clean latents; borrowed.</param>
    public void Paint(int picture, ReadOnlySpan<float> latents)
    {
        int stride = _columns * _width * Channels;
        int start = (picture / _columns * _height * stride) + (picture % _columns * _width * Channels);
        LatentPreviewer.Paint(latents, _width, _pixels.AsSpan(start), stride);
    }
}

using System.Diagnostics;
using MuseAtelier.Decoding;

namespace MuseAtelier.Sampling;

/// <summary>Previews of the pictures that are denoised together, side by side in rows. Painting allocates nothing.</summary>
internal sealed class PreviewGrid
{
    private const int Channels = 3;

    private readonly byte[] _pixels;
    private readonly int _width, _height, _columns;
    private readonly LatentFormat? _format;
    private readonly LatentColours? _colours;
    private readonly float[]? _converted;
    private readonly TimeSpan _interval;
    private long? _painted;

    /// <param name="pictures">Pictures in the grid; unused cells stay black.</param>
    /// <param name="height">A latent's height.</param>
    /// <param name="width">A latent's width.</param>
    /// <param name="format">The scale of the latents; null for SDXL's.</param>
    /// <param name="colours">The colours of the latents; null for SDXL's.</param>
    /// <param name="interval">The least time between two previews of a batch.</param>
    public PreviewGrid(
        int pictures, int height, int width, LatentFormat? format = null, LatentColours? colours = null, TimeSpan interval = default)
    {
        _interval = interval;
        _colours = colours;
        _format = format;
        _converted = format is null ? null : new float[LatentPreviewer.Channels * height * width];
        _width = width;
        _height = height;
        _columns = (int)Math.Ceiling(Math.Sqrt(pictures));
        int rows = (pictures + _columns - 1) / _columns;
        _pixels = new byte[rows * height * _columns * width * Channels];
    }

    /// <summary>Whether the last evaluation of the batch was painted.</summary>
    public bool IsFresh { get; private set; }

    /// <summary>
    /// Copies the grid as it is now, because a later evaluation overwrites it. The copy is the only memory that a preview allocates.
    /// </summary>
    public LatentPreview Capture()
    {
        int width = _columns * _width;
        return new LatentPreview(width, _pixels.Length / (width * Channels), _pixels.ToArray(), _columns);
    }

    /// <summary>Paints one of the pictures.</summary>
    /// <param name="picture">Which, from 0.</param>
    /// <param name="latents">[4, h, w] fp32, scaled as the UNet sees clean latents; borrowed.</param>
    public void Paint(int picture, ReadOnlySpan<float> latents)
    {
        int stride = _columns * _width * Channels;
        int start = (picture / _columns * _height * stride) + (picture % _columns * _width * Channels);
        _format?.ToSdxl(latents, _converted);
        LatentPreviewer.Paint(_format is null ? latents : _converted, _width, _pixels.AsSpan(start), stride, _colours);
    }

    /// <summary>
    /// Paints all pictures of a batch from their clean latents, which show more than latents that are still full of noise; does nothing if
    /// the interval since the last preview has not passed.
    /// </summary>
    public void Paint(LatentBatch batch)
    {
        IsFresh = _painted is not { } painted || Stopwatch.GetElapsedTime(painted) >= _interval;
        if (!IsFresh) return;
        _painted = Stopwatch.GetTimestamp();
        for (int i = 0; i < batch.Pictures; i++) Paint(i, batch.Denoised(i));
    }
}

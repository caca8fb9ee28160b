using MuseAtelier.Imaging;
using MuseAtelier.Recipe;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>Makes the second pass of a picture from its first pass: enlarges its latents or its pixels.</summary>
internal sealed class PassEnlarger
{
    private const int LatentChannels = 4;
    private const int Channels = 3;

    /// <summary>The second pass of a picture.</summary>
    /// <param name="painted">The first pass; borrowed.</param>
    /// <param name="request">The picture's request, with both passes.</param>
    /// <param name="second">The second pass of the series.</param>
    public PictureSeries Enlarge(Picture painted, PictureRequest request, PictureSeries second)
    {
        PictureRequest larger = second.Request;
        HiresPass hires = request.Hires!;
        if (HiresSeries.KernelOf(hires.Upscaler) is { } kernel)
            return second with { Start = Enlarge(painted.Latents.Span, request, larger, kernel) };
        byte[] pixels = new byte[Channels * larger.Width * larger.Height];
        Resampler.Resize(
            painted.Pixels.Span, Channels, painted.Width, painted.Height, pixels, larger.Width, larger.Height, ResampleFilter.Lanczos);
        // From here on, the second pass is image to image.
        var source = new PictureSource(new SourceImage(larger.Width, larger.Height, pixels)) { Strength = hires.Strength };
        return second with { Request = larger with { Source = source } };
    }

    private static float[] Enlarge(ReadOnlySpan<float> latents, PictureRequest request, PictureRequest larger, LatentKernel kernel)
    {
        const int scale = LatentGeometry.VaeScaleFactor;
        int height = larger.Height / scale, width = larger.Width / scale;
        float[] enlarged = new float[LatentChannels * height * width];
        LatentInterpolation.Resize(latents, request.Height / scale, request.Width / scale, enlarged, height, width, kernel);
        return enlarged;
    }
}

using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Imaging;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;
using MuseAtelier.Upscaling;

namespace MuseAtelier.Pipeline;

/// <summary>Makes the second pass of a picture from its first pass: enlarges its latents or its pixels.</summary>
/// <param name="device">The device that runs; borrowed.</param>
/// <param name="options">The options of the atelier.</param>
/// <param name="plans">Frees what is loaded where an upscaler needs the room.</param>
internal sealed class PassEnlarger(ExecutionDevice device, AtelierOptions options, PlanApplier plans) : IDisposable
{
    private const int LatentChannels = 4;
    private const int Channels = 3;

    // AUTOMATIC1111, modules/upscaler.py, Upscaler.upscale: a network runs again until its result is large enough, at most three times.
    private const int MostRuns = 3;

    // The upscaler that was used last, its path, and the folder of its package, which changes with the content of the file.
    private UpscalerRunner? _runner;
    private string? _path;
    private string? _folder;

    /// <summary>
    /// Opens the upscaler of a request, so that one which cannot be used is refused before anything is painted. Loads nothing.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Stops an export.</param>
    /// <returns>The request, with the digest of the upscaler's file.</returns>
    /// <exception cref="HiresException">The file is another one than the request names.</exception>
    public PictureRequest Open(PictureRequest request, CancellationToken cancellationToken)
    {
        HiresPass hires = request.Hires!;
        if (hires.Upscaler.Path is not { } path) return request;
        PackageChoice choice = options.PackageChoice with { IsUpscaler = true };
        if (_path != path || _folder is null || _folder != PackageCache.Find(path, choice))
        {
            Dispose();
            _runner = UpscalerRunner.Open(path, device, options, cancellationToken);
            (_path, _folder) = (path, PackageCache.Find(path, choice));
        }

        string digest = _runner!.Sha256;
        if (hires.Upscaler.Sha256 is { } expected && expected != digest) throw HiresException.OtherFile(path, expected, digest);
        return request with { Hires = hires with { Upscaler = hires.Upscaler with { Sha256 = digest } } };
    }

    /// <summary>The tiles in which the opened upscaler enlarges a picture, in all its runs; 0 without a model.</summary>
    /// <param name="request">The picture's request, with both passes.</param>
    /// <param name="larger">The request of the second pass.</param>
    public int TilesOf(PictureRequest request, PictureRequest larger) => request.Hires!.Upscaler.Path is null
        ? 0
        : SizesOf(request.Width, request.Height, larger).Sum(size => _runner!.TilesOf(size.Width, size.Height));

    /// <summary>The second pass of a picture.</summary>
    /// <param name="painted">The first pass; borrowed.</param>
    /// <param name="request">The picture's request, with both passes.</param>
    /// <param name="second">The second pass of the series.</param>
    /// <param name="progress">Receives the number of tiles that an upscaler has enlarged, from 0 on; not called without a model.</param>
    /// <param name="cancellationToken">Stops an upscaler within a tile.</param>
    public PictureSeries Enlarge(
        Picture painted, PictureRequest request, PictureSeries second, Action<int> progress, CancellationToken cancellationToken)
    {
        PictureRequest larger = second.Request;
        HiresPass hires = request.Hires!;
        if (HiresSeries.KernelOf(hires.Upscaler) is { } kernel)
            return second with { Start = Enlarge(painted.Latents.Span, request, larger, kernel) };
        byte[] pixels = new byte[Channels * larger.Width * larger.Height];
        if (hires.Upscaler.Path is null) Resize(painted.Pixels.Span, painted.Width, painted.Height, pixels, larger);
        else Upscale(painted, pixels, larger, progress, cancellationToken);
        // From here on, the second pass is image to image.
        var source = new PictureSource(new SourceImage(larger.Width, larger.Height, pixels)) { Strength = hires.Strength };
        return second with { Request = larger with { Source = source } };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _runner?.Dispose();
        _runner = null;
        _path = null;
        _folder = null;
    }

    private static float[] Enlarge(ReadOnlySpan<float> latents, PictureRequest request, PictureRequest larger, LatentKernel kernel)
    {
        const int scale = LatentGeometry.VaeScaleFactor;
        int height = larger.Height / scale, width = larger.Width / scale;
        float[] enlarged = new float[LatentChannels * height * width];
        LatentInterpolation.Resize(latents, request.Height / scale, request.Width / scale, enlarged, height, width, kernel);
        return enlarged;
    }

    private static void Resize(ReadOnlySpan<byte> pixels, int width, int height, Span<byte> result, PictureRequest larger) =>
        Resampler.Resize(pixels, Channels, width, height, result, larger.Width, larger.Height, ResampleFilter.Lanczos);

    // The sizes of the pictures that the network enlarges one after the other.
    private IEnumerable<(int Width, int Height)> SizesOf(int width, int height, PictureRequest larger)
    {
        int scale = _runner!.Scale;
        for (int i = 0; i < MostRuns && (i == 0 || (scale > 1 && (width < larger.Width || height < larger.Height))); i++)
        {
            yield return (width, height);
            (width, height) = (width * scale, height * scale);
        }
    }

    private void Upscale(
        Picture painted, Span<byte> result, PictureRequest larger, Action<int> progress, CancellationToken cancellationToken)
    {
        UpscalerRunner runner = _runner!;
        // The plans of the passes do not count the upscaler, which may take the whole budget.
        long planned = painted.Memory!.Plan.PeakBytes;
        if (planned + runner.WorkingBytes > painted.Memory.Plan.BudgetBytes) plans.ReleaseAll();
        MemoryOwner<byte>? enlarged = null;
        (int width, int height) = (0, 0);
        int before = 0;
        progress(0);
        using var run = new RunScope(device, cancellationToken);
        try
        {
            foreach ((int fromWidth, int fromHeight) in SizesOf(painted.Width, painted.Height, larger))
            {
                MemoryOwner<byte>? former = enlarged;
                enlarged = runner.Upscale(
                    former is null ? painted.Pixels.Span : former.Span, fromWidth, fromHeight, run.Options, run.Token,
                    (tile, _) => progress(before + tile));
                former?.Dispose();
                before += runner.TilesOf(fromWidth, fromHeight);
                (width, height) = (fromWidth * runner.Scale, fromHeight * runner.Scale);
            }

            Resize(enlarged!.Span, width, height, result, larger);
        }
        finally
        {
            enlarged?.Dispose();
            runner.Release();
        }
    }
}

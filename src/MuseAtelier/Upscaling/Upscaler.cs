using CommunityToolkit.HighPerformance.Buffers;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Upscaling;

namespace MuseAtelier;

/// <summary>
/// A loaded upscaler of the ESRGAN family that enlarges pictures, one after the other, on a thread of its own. Members may be called from
/// any thread.
/// </summary>
public sealed class Upscaler : IAsyncDisposable, IDisposable
{
    private const int Channels = 3;

    private readonly EngineThread _thread;
    private readonly UpscalerRunner _runner;
    private readonly ExecutionDevice _device;

    private Upscaler(EngineThread thread, UpscalerRunner runner, ExecutionDevice device) =>
        (_thread, _runner, _device) = (thread, runner, device);

    /// <summary>The name of the upscaler's file, without its extension.</summary>
    public string Name => _runner.Name;

    /// <summary>The architecture: <c>rrdb</c> for ESRGAN and Real-ESRGAN, <c>compact</c> for Real-ESRGAN's small models.</summary>
    public string Architecture => _runner.Architecture;

    /// <summary>The factor of width and height.</summary>
    public int Scale => _runner.Scale;

    /// <summary>SHA-256 of the upscaler's file, lower-case hex.</summary>
    public string Sha256 => _runner.Sha256;

    /// <summary>The device that the upscaler runs on, in words.</summary>
    public string Device => _device.Description;

    /// <summary>Bytes of the device's memory that the upscaler is expected to take, for a picture of any size.</summary>
    public long WorkingBytes => _runner.WorkingBytes;

    /// <summary>Opens an upscaler's file, which is exported once into the cache, or the folder of its package.</summary>
    /// <param name="path">
    /// Path of the file, .safetensors or .pth, or of its package's folder. A .pth file is read without executing anything of it.
    /// </param>
    /// <param name="options">
    /// The backend, the cache and the budget. An upscaler has the arithmetic of the VAE. Options of painting have no effect.
    /// </param>
    /// <param name="progress">Receives reports of the export on another thread.</param>
    /// <param name="cancellationToken">Stops an export within a few MiB and leaves nothing behind.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="MuseAtelierException">
    /// The upscaler cannot be used; the exception's type and message give the reason and the remedy.
    /// </exception>
    public static async Task<Upscaler> OpenAsync(
        string path, AtelierOptions options, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        OptionRules.Check(options);
        var thread = new EngineThread("MuseAtelier upscaler", options.QueueCapacity);
        try
        {
            return await thread.RunAsync(Open, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await thread.EndAsync(drains: false).ConfigureAwait(false);
            throw;
        }

        Upscaler Open(CancellationToken stopping)
        {
            ModelPackage package = options.OpenUpscaler(path, progress, stopping);
            ExecutionDevice? device = null;
            try
            {
                device = options.Backend.Open(package, options, stopping);
                var runner = new UpscalerRunner(package, device, options);
                thread.AtEnd(() =>
                {
                    runner.Dispose();
                    device.Dispose();
                });
                return new Upscaler(thread, runner, device);
            }
            catch
            {
                device?.Dispose();
                package.Dispose();
                throw;
            }
        }
    }

    /// <summary>
    /// Enlarges a picture. Its opacity, if it has one, is enlarged by the same network. Equal pictures give equal pixels on the same
    /// device with the same options.
    /// </summary>
    /// <param name="image">The picture, with pixels.</param>
    /// <param name="progress">Receives the share that is done, 0 to 1, on another thread, after each tile.</param>
    /// <param name="cancellationToken">Stops within a tile.</param>
    /// <returns>The picture, <see cref="Scale"/> times as wide and as high.</returns>
    /// <exception cref="ArgumentException">The picture is a reference without pixels.</exception>
    /// <exception cref="ObjectDisposedException">The upscaler is disposed.</exception>
    /// <exception cref="MuseAtelierException">
    /// The picture cannot be enlarged; the exception's type and message give the reason and the remedy.
    /// </exception>
    public Task<SourceImage> UpscaleAsync(
        SourceImage image, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (!image.HasPixels) throw new ArgumentException("The picture is a reference without pixels.", nameof(image));
        return _thread.RunAsync(stopping => Enlarge(image, progress, stopping), cancellationToken);
    }

    /// <summary>Stops the picture that is being enlarged and releases everything. May be called more than once.</summary>
    public async ValueTask DisposeAsync() => await _thread.EndAsync(drains: false).ConfigureAwait(false);

    /// <summary>Like <see cref="DisposeAsync"/>, and blocks until the upscaler's thread has ended.</summary>
    public void Dispose() => _thread.End(drains: false);

    private SourceImage Enlarge(SourceImage image, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        using RunOptions options = _device.CreateRunOptions();
        using CancellationTokenRegistration registration =
            cancellationToken.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, options);
        double share = image.Alpha.IsEmpty ? 1 : 0.5;
        // The memory of the result is the caller's, so it does not return to the pool.
        ReadOnlyMemory<byte> pixels = _runner.Upscale(
            image.Pixels.Span, image.Width, image.Height, options, cancellationToken,
            (done, all) => progress?.Report(share * done / all)).Memory;
        ReadOnlyMemory<byte> alpha = image.Alpha.IsEmpty ? default : EnlargeAlpha(image, progress, options, cancellationToken);
        return new SourceImage(image.Width * Scale, image.Height * Scale, pixels, alpha) { Name = image.Name };
    }

    // The opacity as a grey picture, as Real-ESRGAN enlarges it (realesrgan/utils.py, RealESRGANer.enhance).
    private byte[] EnlargeAlpha(
        SourceImage image, IProgress<double>? progress, RunOptions options, CancellationToken cancellationToken)
    {
        using MemoryOwner<byte> grey = MemoryOwner<byte>.Allocate(image.Alpha.Length * Channels);
        for (int i = 0; i < image.Alpha.Length; i++) grey.Span.Slice(i * Channels, Channels).Fill(image.Alpha.Span[i]);
        using MemoryOwner<byte> enlarged = _runner.Upscale(
            grey.Span, image.Width, image.Height, options, cancellationToken,
            (done, all) => progress?.Report(0.5 + 0.5 * done / all));
        byte[] alpha = new byte[enlarged.Length / Channels];
        // The weights of luminance in ITU-R BT.601, as the reference converts the result to grey.
        for (int i = 0; i < alpha.Length; i++)
        {
            ReadOnlySpan<byte> colour = enlarged.Span.Slice(i * Channels, Channels);
            alpha[i] = (byte)Math.Round(0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]);
        }

        return alpha;
    }
}

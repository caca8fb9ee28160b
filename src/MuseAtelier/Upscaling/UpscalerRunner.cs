using CommunityToolkit.HighPerformance.Buffers;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Upscaling;

/// <summary>
/// An upscaler on a device: enlarges pictures of bytes, tile by tile. All tiles of a picture have the same size, so that one set of
/// bindings serves all. Equal pictures give equal bytes on the same device with the same options. All members are called on the device's
/// thread.
/// </summary>
internal sealed class UpscalerRunner : IDisposable
{
    private const int Channels = 3;

    private readonly ModelPackage _package;
    private readonly ExecutionDevice _device;
    private readonly SessionPool _sessions;
    private readonly UpscalerSpec _spec;
    private ComponentRunner? _runner;
    private ComponentSpec? _component;
    private PictureShape _shape;

    /// <summary>Puts an upscaler on a device. Nothing is loaded before the first picture.</summary>
    /// <param name="package">The upscaler's package, which the runner owns from here on.</param>
    /// <param name="device">The device; borrowed.</param>
    /// <param name="options">The options, whose declared budget bounds the tiles.</param>
    /// <param name="tiling">The tiles; null means those of <see cref="UpscalerMemory.Choose"/>.</param>
    /// <exception cref="UpscalerBudgetException">The budget is too small.</exception>
    public UpscalerRunner(ModelPackage package, ExecutionDevice device, AtelierOptions options, UpscaleTiling? tiling = null)
    {
        _package = package;
        _device = device;
        _spec = package.Manifest.Upscaler!;
        Tiling = tiling ?? UpscalerMemory.Choose(package.Manifest, options);
        WorkingBytes = UpscalerMemory.Bytes(package.Manifest, options.Backend.Profile, Tiling.Side);
        _sessions = new SessionPool(package, device);
        _sessions.TrimAfterRuns();
    }

    /// <summary>The factor of width and height.</summary>
    public int Scale => _spec.Scale;

    /// <summary>SHA-256 of the upscaler's file, lower-case hex.</summary>
    public string Sha256 => _package.Manifest.Checkpoint.Sha256;

    /// <summary>The name of the upscaler's file, without its extension.</summary>
    public string Name => _package.Manifest.Checkpoint.Name;

    /// <summary>The architecture of the network: <see cref="UpscalerSpec.Rrdb"/> or <see cref="UpscalerSpec.Compact"/>.</summary>
    public string Architecture => _spec.Architecture;

    /// <summary>Bytes of the device's memory that a picture of any size takes while it is enlarged.</summary>
    public long WorkingBytes { get; }

    /// <summary>The size of the tiles.</summary>
    public UpscaleTiling Tiling { get; }

    /// <summary>Opens an upscaler, which is exported once into the cache.</summary>
    /// <param name="path">Path of the upscaler's file (.safetensors or .pth), or of its package's folder.</param>
    /// <param name="device">The device; borrowed for the runner's life.</param>
    /// <param name="options">The options: cache, precision of the VAE, and the budget.</param>
    /// <param name="cancellationToken">Stops an export.</param>
    /// <exception cref="MuseAtelierException">The upscaler cannot be used.</exception>
    public static UpscalerRunner Open(
        string path, ExecutionDevice device, AtelierOptions options, CancellationToken cancellationToken)
    {
        ModelPackage package = options.OpenUpscaler(path, null, cancellationToken);
        try
        {
            return new UpscalerRunner(package, device, options);
        }
        catch
        {
            package.Dispose();
            throw;
        }
    }

    /// <summary>The number of tiles in which a picture is enlarged.</summary>
    /// <param name="width">Width in px, from 1.</param>
    /// <param name="height">Height in px, from 1.</param>
    public int TilesOf(int width, int height) => InTiles(width, height, progress: null).Count;

    /// <summary>Enlarges a picture.</summary>
    /// <param name="pixels">[height, width, 3] interleaved RGB, 8 bits a channel; borrowed.</param>
    /// <param name="width">Width in px, from 1.</param>
    /// <param name="height">Height in px, from 1.</param>
    /// <param name="options">The run options. Terminating them stops in the middle of a tile.</param>
    /// <param name="cancellationToken">Stops between tiles.</param>
    /// <param name="progress">Receives the number of finished tiles, and that of all.</param>
    /// <returns>[height * Scale, width * Scale, 3]; the caller disposes it.</returns>
    /// <exception cref="UpscaleSizeException">The result would be too large.</exception>
    /// <exception cref="NotFiniteException">The network gave numbers that are not finite, in fp32 as well.</exception>
    public MemoryOwner<byte> Upscale(
        ReadOnlySpan<byte> pixels, int width, int height, RunOptions options, CancellationToken cancellationToken,
        Action<int, int>? progress = null)
    {
        if (width < 1 || height < 1 || pixels.Length != (long)width * height * Channels)
            throw new ArgumentException($"{width}x{height} px do not take {pixels.Length} bytes.", nameof(pixels));
        if ((long)width * Scale * height * Scale > SourceImage.MostPixels) throw new UpscaleSizeException(width, height, Scale);
        _package.RequireUnchanged();
        using DeviceLease lease = _device.Enter(cancellationToken);
        _sessions.Stopping = cancellationToken;
        var result = MemoryOwner<byte>.Allocate(pixels.Length * Scale * Scale);
        try
        {
            TiledPicture picture = InTiles(width, height, progress);
            if (!TryRun(picture, ComponentNames.Upscaler, pixels, result.Span, options, cancellationToken))
                RunInFp32(picture, pixels, result.Span, options, cancellationToken);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
        finally
        {
            _sessions.Stopping = CancellationToken.None;
            _device.Settle();
        }
    }

    /// <summary>Frees the sessions and the working memory until the next picture.</summary>
    public void Release()
    {
        _runner?.Dispose();
        _runner = null;
        if (_component is not null) _sessions.Release(_component);
        _component = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using (_device.Enter(CancellationToken.None))
        {
            Release();
            _sessions.Dispose();
        }

        _package.Dispose();
    }

    private TiledPicture InTiles(int width, int height, Action<int, int>? progress) =>
        new(new TileAxis(width, Tiling, _spec.Multiple), new TileAxis(height, Tiling, _spec.Multiple), Scale, progress);

    // The whole picture is enlarged again, so that all of its tiles have the same precision.
    private void RunInFp32(
        TiledPicture picture, ReadOnlySpan<byte> pixels, Span<byte> result, RunOptions options, CancellationToken cancellationToken)
    {
        bool hasFp32 = _package.Manifest.Components.Any(component => component.Name == ComponentNames.UpscalerFp32);
        try
        {
            if (hasFp32 && TryRun(picture, ComponentNames.UpscalerFp32, pixels, result, options, cancellationToken)) return;
        }
        finally
        {
            // The network in fp32 is rarely needed and takes twice the memory.
            Release();
        }

        throw NotFiniteException.OfUpscaler(Name);
    }

    // Returns false if a number is not finite.
    private bool TryRun(
        TiledPicture picture, string name, ReadOnlySpan<byte> pixels, Span<byte> result, RunOptions options,
        CancellationToken cancellationToken)
    {
        ComponentRunner runner = Prepare(name, picture.Columns.Side, picture.Rows.Side);
        using NativeBuffer source = _device.AllocateHost(runner.Size("source"));
        using NativeBuffer target = _device.AllocateHost(runner.Size("pixels"));
        using NativeBuffer fault = _device.AllocateHost(runner.Size("fault"));
        for (int tile = 0; tile < picture.Count; tile++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            picture.Cut(tile, pixels, source.AsSpan<byte>());
            try
            {
                runner.Write("source", source);
                runner.Run(options, cancellationToken, isLastRound: tile == picture.Count - 1);
                runner.Read("pixels", target);
                runner.Read("fault", fault);
                _device.Synchronize();
            }
            catch
            {
                // The device must not write to these buffers any more once they are freed.
                _device.Settle();
                throw;
            }

            if (fault.AsSpan<float>()[0] != 0) return false;
            picture.Place(tile, target.AsSpan<byte>(), result);
        }

        return true;
    }

    private ComponentRunner Prepare(string name, int width, int height)
    {
        var shape = new PictureShape(1, height, width, 0);
        if (_runner is not null && _component?.Name == name && _shape == shape) return _runner;
        _runner?.Dispose();
        _runner = null;
        if (_component is not null && _component.Name != name) _sessions.Release(_component);
        _component = _package.Manifest.Component(name);
        _shape = shape;
        return _runner = new ComponentRunner(_component, shape, _sessions, _device);
    }
}

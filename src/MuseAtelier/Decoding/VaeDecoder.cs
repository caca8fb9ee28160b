using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Decoding;

/// <summary>A decoded picture.</summary>
/// <param name="Pixels">[8h, 8w, 3] interleaved RGB, or of the frame's canvas.</param>
/// <param name="InFp32">Whether fp32 was needed.</param>
/// <param name="Finishing">How long it took from decoded numbers to bytes on the host, with the frame.</param>
internal sealed record DecodedPicture(byte[] Pixels, bool InFp32, TimeSpan Finishing);

/// <summary>
/// Latents to a picture, whole or in tiles. Tiles overlap and are blended linearly; each tile's group norms see that tile alone, which
/// is why tiles differ a little from the whole.
/// </summary>
internal sealed class VaeDecoder(ModelPackage package, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    /// <summary>Pixels of the picture for one of the latent, a side.</summary>
    public const int VaeScaleFactor = 8;

    /// <summary>Side of a tile in latents: 512 px, the smallest size that SDXL's VAE was trained to see whole.</summary>
    public const int Tile = 64;

    /// <summary>Latents that neighbouring tiles share; the blend runs over all of them.</summary>
    public const int Overlap = 16;

    private const int Channels = 3;
    private readonly PostProcessor _finisher = new(package, sessions, device);
    private ComponentRunner? _runner;
    private ComponentSpec _component = package.Manifest.Component(ComponentNames.VaeDecoder);
    private PictureShape _shape;

    /// <summary>Decodes one picture to bytes as a plan has it; once more in fp32 where the device's own precision overflowed.</summary>
    /// <param name="latents">[4, h, w] fp32 as the UNet sees them; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="plan">The plan of that size.</param>
    /// <param name="frame">The frame, or null.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between tiles.</param>
    /// <exception cref="DecodingException">The picture is not finite in fp32 either, or no tile of that fits the budget.</exception>
    public DecodedPicture Decode(
        ReadOnlySpan<float> latents, int height, int width, ResidencyPlan plan, PictureFrame? frame, RunOptions options, CancellationToken cancellationToken) =>
        Decode(latents, height, width, plan.Decoder.Name, TileShape(plan.Decoding), plan.DecodingInFp32 is null ? null : TileShape(plan.DecodingInFp32), frame, options, cancellationToken);

    /// <summary>Decodes one picture to bytes; once more in fp32 where the device's own precision overflowed.</summary>
    /// <param name="latents">[4, h, w] fp32 as the UNet sees them; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="tiled">Whether in tiles.</param>
    /// <param name="frame">The frame, or null.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between tiles.</param>
    /// <exception cref="DecodingException">The picture is not finite in fp32 either.</exception>
    public DecodedPicture Decode(
        ReadOnlySpan<float> latents, int height, int width, bool tiled, PictureFrame? frame, RunOptions options, CancellationToken cancellationToken) =>
        Decode(latents, height, width, ComponentNames.VaeDecoder, TileShape(height, width, tiled), TileShape(height, width, tiled), frame, options, cancellationToken);

    private DecodedPicture Decode(
        ReadOnlySpan<float> latents, int height, int width, string decoder, PictureShape tile, PictureShape? exactTile, PictureFrame? frame, RunOptions options, CancellationToken cancellationToken)
    {
        bool inFp32 = decoder == ComponentNames.VaeDecoderFp32;
        if (DecodeOnce(decoder, latents, height, width, tile, frame, options, cancellationToken, out TimeSpan finishing) is { } pixels) return new DecodedPicture(pixels, inFp32, finishing);
        if (exactTile is not null && package.Manifest.Components.Any(component => component.Name == ComponentNames.VaeDecoderFp32))
        {
            // In its place, not beside it.
            Release();
            byte[]? exact;
            try
            {
                exact = DecodeOnce(ComponentNames.VaeDecoderFp32, latents, height, width, exactTile.Value, frame, options, cancellationToken, out finishing);
            }
            finally
            {
                // Rarely needed, and twice the size: it does not stay, not even where it was stopped.
                Release();
            }

            if (exact is not null) return new DecodedPicture(exact, true, finishing);
        }

        throw new DecodingException(latents.ContainsAnyExceptInRange(float.MinValue, float.MaxValue), inFp32 || exactTile is not null || package.Manifest.PartPrecisions.Vae == Precision.Fp32);
    }

    /// <summary>Decodes to numbers, for comparison.</summary>
    /// <param name="latents">[4, h, w] fp32 as the UNet sees them; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="tiled">Whether in tiles.</param>
    /// <param name="image">[3, 8h, 8w] fp32, -1 to 1 (a little beyond happens); overwritten.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between tiles.</param>
    public void Decode(ReadOnlySpan<float> latents, int height, int width, bool tiled, Span<float> image, RunOptions options, CancellationToken cancellationToken)
    {
        PrepareDecoder(ComponentNames.VaeDecoder, TileShape(height, width, tiled));
        if (IsWhole(height, width))
        {
            Run(latents, height, width, options, cancellationToken);
            using NativeBuffer host = device.AllocateHost(_runner!.Size("image"));
            device.Download(_runner.Address("image"), host.Address, host.Bytes);
            device.Synchronize();
            host.AsSpan<float>().CopyTo(image);
        }
        else
        {
            DecodeTiles(latents, height, width, image, options, cancellationToken);
        }
    }

    /// <summary>Gives back the decoder's memory until the next picture.</summary>
    public void Release()
    {
        _finisher.Release();
        _runner?.Dispose();
        _runner = null;
        sessions.Release(_component);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _finisher.Dispose();
        _runner?.Dispose();
    }

    /// <summary>Where tiles begin along a side: evenly, the first at 0, the last at the end, sharing at least the overlap.</summary>
    internal static int[] Starts(int size, int tile)
    {
        if (tile >= size) return [0];
        int count = (size - Overlap + (tile - Overlap) - 1) / (tile - Overlap);
        int[] starts = new int[count];
        for (int i = 0; i < count; i++) starts[i] = (int)((long)i * (size - tile) / (count - 1));
        return starts;
    }

    // Each tile is laid over what is there already; where it overlaps, it comes in linearly from its left and top edges.
    private static void Blend(ReadOnlySpan<float> tile, Span<float> image, int height, int width, int tileHeight, int tileWidth, int top, int left, int sharedRows, int sharedColumns)
    {
        for (int channel = 0; channel < Channels; channel++)
        {
            for (int y = 0; y < tileHeight; y++)
            {
                ReadOnlySpan<float> from = tile.Slice((channel * tileHeight + y) * tileWidth, tileWidth);
                Span<float> to = image.Slice((channel * height + top + y) * width + left, tileWidth);
                float down = y < sharedRows ? (y + 0.5f) / sharedRows : 1;
                for (int x = 0; x < sharedColumns; x++)
                {
                    // Where both edges overlap, the corner's old content already is a blend of three tiles.
                    float share = Math.Min(down, (x + 0.5f) / sharedColumns);
                    to[x] += (from[x] - to[x]) * share;
                }

                if (down >= 1) from[sharedColumns..].CopyTo(to[sharedColumns..]);
                else TensorPrimitives.Lerp(to[sharedColumns..], from[sharedColumns..], down, to[sharedColumns..]);
            }
        }
    }

    private static PictureShape TileShape(TilePlan tiles) => new(1, tiles.TileHeight, tiles.TileWidth, 0);

    private static PictureShape TileShape(int height, int width, bool tiled) => new(1, tiled ? Math.Min(Tile, height) : height, tiled ? Math.Min(Tile, width) : width, 0);

    private bool IsWhole(int height, int width) => _shape.LatentHeight == height && _shape.LatentWidth == width;

    private byte[]? DecodeOnce(
        string component, ReadOnlySpan<float> latents, int height, int width, PictureShape tile, PictureFrame? frame, RunOptions options, CancellationToken cancellationToken, out TimeSpan finishing)
    {
        PrepareDecoder(component, tile);
        if (IsWhole(height, width))
        {
            _finisher.Prepare(height, width, frame, _runner!.Address("image"));
            Run(latents, height, width, options, cancellationToken);
        }
        else
        {
            _finisher.Prepare(height, width, frame, 0);
            using NativeBuffer image = device.AllocateHost((long)Channels * height * width * VaeScaleFactor * VaeScaleFactor * sizeof(float));
            DecodeTiles(latents, height, width, image.AsSpan<float>(), options, cancellationToken);
            _finisher.Upload(image);
        }

        // The decoder is done by now: what is measured is the finishing alone.
        long begin = Stopwatch.GetTimestamp();
        byte[]? pixels = _finisher.Finish(options, cancellationToken);
        finishing = Stopwatch.GetElapsedTime(begin);
        return pixels;
    }

    // One tile is blended in while the device decodes the next.
    private void DecodeTiles(ReadOnlySpan<float> latents, int height, int width, Span<float> image, RunOptions options, CancellationToken cancellationToken)
    {
        ComponentRunner runner = _runner!;
        int tileHeight = _shape.LatentHeight, tileWidth = _shape.LatentWidth;
        int[] rows = Starts(height, tileHeight), columns = Starts(width, tileWidth);
        int tiles = rows.Length * columns.Length;
        using NativeBuffer input = device.AllocateHost(runner.Size("latents"));
        using NativeBuffer even = device.AllocateHost(runner.Size("image")), odd = device.AllocateHost(runner.Size("image"));
        try
        {
            for (int i = 0; i <= tiles; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                device.Synchronize();
                if (i < tiles)
                {
                    NativeBuffer output = i % 2 == 0 ? even : odd;
                    Give(latents, height, width, rows[i / columns.Length], columns[i % columns.Length], input);
                    runner.Run(options, cancellationToken, isLastRound: i == tiles - 1);
                    device.Download(runner.Address("image"), output.Address, output.Bytes);
                }

                if (i > 0) Lay(i - 1, (i % 2 == 1 ? even : odd).AsSpan<float>(), image);
            }
        }
        finally
        {
            // Whatever happened, nothing may be on its way to or from buffers that are given back.
            device.Synchronize();
        }

        void Lay(int i, ReadOnlySpan<float> tile, Span<float> image)
        {
            (int r, int c) = (i / columns.Length, i % columns.Length);
            int sharedRows = r == 0 ? 0 : rows[r - 1] + tileHeight - rows[r], sharedColumns = c == 0 ? 0 : columns[c - 1] + tileWidth - columns[c];
            Blend(tile, image, height * VaeScaleFactor, width * VaeScaleFactor, tileHeight * VaeScaleFactor, tileWidth * VaeScaleFactor, rows[r] * VaeScaleFactor, columns[c] * VaeScaleFactor, sharedRows * VaeScaleFactor, sharedColumns * VaeScaleFactor);
        }
    }

    private void PrepareDecoder(string component, PictureShape shape)
    {
        if (_runner is not null && _shape == shape && _component.Name == component) return;
        if (_component.Name != component) Release();
        _runner?.Dispose();
        _runner = null;
        _component = package.Manifest.Component(component);
        _shape = shape;
        _runner = new ComponentRunner(_component, shape, sessions, device);
    }

    private void Run(ReadOnlySpan<float> latents, int height, int width, RunOptions options, CancellationToken cancellationToken)
    {
        using NativeBuffer input = device.AllocateHost(_runner!.Size("latents"));
        Give(latents, height, width, 0, 0, input);
        _runner.Run(options, cancellationToken);
        device.Synchronize();
    }

    // Sends a tile of the latents to the device; the host's copy must stay as it is until the device has it.
    private void Give(ReadOnlySpan<float> latents, int height, int width, int top, int left, NativeBuffer host)
    {
        Span<float> input = host.AsSpan<float>();
        int channels = package.Manifest.Model.LatentChannels, tileHeight = _shape.LatentHeight, tileWidth = _shape.LatentWidth;
        for (int channel = 0; channel < channels; channel++)
            for (int y = 0; y < tileHeight; y++)
                TensorPrimitives.Divide(
                    latents.Slice((channel * height + top + y) * width + left, tileWidth), package.Manifest.Model.LatentScale, input.Slice((channel * tileHeight + y) * tileWidth, tileWidth));
        device.Upload(host.Address, _runner!.Address("latents"), host.Bytes);
    }
}

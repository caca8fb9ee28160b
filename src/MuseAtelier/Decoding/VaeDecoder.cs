using System.Diagnostics;
using System.Numerics.Tensors;
using CommunityToolkit.HighPerformance.Buffers;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;

namespace MuseAtelier.Decoding;

/// <summary>A decoded picture.</summary>
/// <param name="Pixels">[8h, 8w, 3] interleaved RGB, or of the frame's canvas; the receiver disposes it.</param>
/// <param name="InFp32">Whether it was decoded in fp32.</param>
/// <param name="PostProcessing">The time from decoded numbers to bytes on the host, with the frame.</param>
internal sealed record VaeOutput(MemoryOwner<byte> Pixels, bool InFp32, TimeSpan PostProcessing);

/// <summary>
/// Decodes latents to a picture, whole or in tiles. Tiles overlap and are blended linearly. A picture in tiles differs a little from one
/// that is decoded whole, because each group norm sees one tile only.
/// </summary>
internal sealed class VaeDecoder(ModelPackage package, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    private const int Channels = 3;

    private readonly PostProcessor _postProcessor = new(package, sessions, device);
    private ComponentRunner? _runner;
    private ComponentSpec _component = package.Manifest.Component(PipelineRecipe.Decoder(inFp32: false));
    private PictureShape _shape;

    /// <summary>Decodes one picture to bytes by a plan; once more in fp32 if the device's own precision overflowed.</summary>
    /// <param name="latents">[4, h, w] fp32 as the UNet sees them; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="plan">The plan for pictures of that size.</param>
    /// <param name="frame">The frame, or null.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between tiles.</param>
    /// <exception cref="DecodingException">The picture is not finite in fp32 either, or no fp32 tile fits the budget.</exception>
    public VaeOutput Decode(
        ReadOnlySpan<float> latents, int height, int width, ResidencyPlan plan, PictureFrame? frame, RunOptions options,
        CancellationToken cancellationToken)
    {
        PictureShape tile = TileShape(plan.Decoding);
        PictureShape? rescueTile = plan.DecodingInFp32 is null ? null : TileShape(plan.DecodingInFp32);
        var image = new LatentImage(latents, height, width);
        return Decode(image, plan.DecodesInFp32, tile, rescueTile, frame, options, cancellationToken);
    }

    /// <summary>Decodes one picture to bytes; once more in fp32 if the device's own precision overflowed.</summary>
    /// <param name="latents">[4, h, w] fp32 as the UNet sees them; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="tiled">Whether in tiles.</param>
    /// <param name="frame">The frame, or null.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between tiles.</param>
    /// <exception cref="DecodingException">The picture is not finite in fp32 either.</exception>
    public VaeOutput Decode(
        ReadOnlySpan<float> latents, int height, int width, bool tiled, PictureFrame? frame, RunOptions options,
        CancellationToken cancellationToken)
    {
        PictureShape tile = TileShape(height, width, tiled);
        return Decode(new LatentImage(latents, height, width), inFp32: false, tile, tile, frame, options, cancellationToken);
    }

    private VaeOutput Decode(
        LatentImage latents, bool inFp32, PictureShape tile, PictureShape? rescueTile, PictureFrame? frame, RunOptions options,
        CancellationToken cancellationToken)
    {
        MemoryOwner<byte>? pixels = DecodeOnce(latents, inFp32, tile, frame, options, cancellationToken, out TimeSpan postProcessing);
        if (pixels is not null) return new VaeOutput(pixels, inFp32, postProcessing);
        if (rescueTile is { } fp32Tile && PipelineRecipe.HasFp32Decoder(package.Manifest.Components))
        {
            // The fp32 decoder replaces the fp16 one, whose memory must be freed first.
            Release();
            try
            {
                pixels = DecodeOnce(latents, inFp32: true, fp32Tile, frame, options, cancellationToken, out postProcessing);
            }
            finally
            {
                // The fp32 decoder is rarely needed and takes twice the memory, so it is released even after a cancellation.
                Release();
            }

            if (pixels is not null) return new VaeOutput(pixels, true, postProcessing);
        }

        bool latentsAreFaulty = latents.Values.ContainsAnyExceptInRange(float.MinValue, float.MaxValue);
        bool fp32Fits = inFp32 || rescueTile is not null || package.Manifest.PartPrecisions.Vae.Arithmetic == Precision.Fp32;
        throw new DecodingException(latentsAreFaulty, fp32Fits);
    }

    /// <summary>Decodes one picture to numbers, for comparisons.</summary>
    /// <param name="latents">[4, h, w] fp32 as the UNet sees them; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="tiled">Whether in tiles.</param>
    /// <param name="image">[3, 8h, 8w] fp32, -1 to 1, and slightly beyond; overwritten.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between tiles.</param>
    public void Decode(
        ReadOnlySpan<float> latents, int height, int width, bool tiled, Span<float> image, RunOptions options,
        CancellationToken cancellationToken)
    {
        PrepareDecoder(inFp32: false, TileShape(height, width, tiled));
        var source = new LatentImage(latents, height, width);
        if (IsWhole(source))
        {
            Run(source, options, cancellationToken);
            _runner!.Read("image", image);
        }
        else
        {
            DecodeTiles(source, image, options, cancellationToken);
        }
    }

    /// <summary>Frees the decoder's memory until the next picture.</summary>
    public void Release()
    {
        _postProcessor.Release();
        _runner?.Dispose();
        _runner = null;
        sessions.Release(_component);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _postProcessor.Dispose();
        _runner?.Dispose();
    }

    private static PictureShape TileShape(TilePlan tiles) => new(1, tiles.TileHeight, tiles.TileWidth, 0);

    private static PictureShape TileShape(int height, int width, bool tiled) => tiled
        ? new PictureShape(1, Math.Min(LatentGeometry.TileSide, height), Math.Min(LatentGeometry.TileSide, width), 0)
        : new PictureShape(1, height, width, 0);

    private bool IsWhole(LatentImage latents) => _shape.LatentHeight == latents.Height && _shape.LatentWidth == latents.Width;

    private MemoryOwner<byte>? DecodeOnce(
        LatentImage latents, bool inFp32, PictureShape tile, PictureFrame? frame, RunOptions options,
        CancellationToken cancellationToken, out TimeSpan postProcessing)
    {
        PrepareDecoder(inFp32, tile);
        if (IsWhole(latents))
        {
            _postProcessor.Prepare(latents.Height, latents.Width, frame, _runner!.Address("image"));
            Run(latents, options, cancellationToken);
        }
        else
        {
            _postProcessor.Prepare(latents.Height, latents.Width, frame, 0);
            long pixelCount = (long)latents.Height * latents.Width * LatentGeometry.VaeScaleFactor * LatentGeometry.VaeScaleFactor;
            using NativeBuffer image = device.AllocateHost(Channels * pixelCount * sizeof(float));
            DecodeTiles(latents, image.AsSpan<float>(), options, cancellationToken);
            _postProcessor.Upload(image);
        }

        // The decoder has finished here, so that the time is that of the post-processor alone.
        long begin = Stopwatch.GetTimestamp();
        MemoryOwner<byte>? pixels = _postProcessor.ToPixels(options, cancellationToken);
        postProcessing = Stopwatch.GetElapsedTime(begin);
        return pixels;
    }

    // Blends one tile while the device decodes the next.
    private void DecodeTiles(LatentImage latents, Span<float> image, RunOptions options, CancellationToken cancellationToken)
    {
        ComponentRunner runner = _runner!;
        int height = latents.Height * LatentGeometry.VaeScaleFactor;
        int width = latents.Width * LatentGeometry.VaeScaleFactor;
        var grid = new TileGrid(latents.Height, latents.Width, _shape.LatentHeight, _shape.LatentWidth);
        using NativeBuffer input = device.AllocateHost(runner.Size("latents"));
        using NativeBuffer even = device.AllocateHost(runner.Size("image"));
        using NativeBuffer odd = device.AllocateHost(runner.Size("image"));
        try
        {
            for (int i = 0; i <= grid.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                device.Synchronize();
                if (i < grid.Count)
                {
                    NativeBuffer output = i % 2 == 0 ? even : odd;
                    TileArea area = grid.AreaOf(i, scale: 1);
                    Upload(latents, area.Top, area.Left, input);
                    runner.Run(options, cancellationToken, isLastRound: i == grid.Count - 1);
                    runner.Read("image", output);
                }

                if (i == 0) continue;
                NativeBuffer former = i % 2 == 1 ? even : odd;
                TileGrid.Blend(former.AsSpan<float>(), image, height, width, grid.AreaOf(i - 1, LatentGeometry.VaeScaleFactor));
            }
        }
        finally
        {
            // No copy may be under way when the buffers are freed, not even after a failure.
            device.Synchronize();
        }
    }

    private void PrepareDecoder(bool inFp32, PictureShape shape)
    {
        string component = PipelineRecipe.Decoder(inFp32);
        if (_runner is not null && _shape == shape && _component.Name == component) return;
        if (_component.Name != component) Release();
        _runner?.Dispose();
        _runner = null;
        _component = package.Manifest.Component(component);
        _shape = shape;
        _runner = new ComponentRunner(_component, shape, sessions, device);
    }

    private void Run(LatentImage latents, RunOptions options, CancellationToken cancellationToken)
    {
        using NativeBuffer input = device.AllocateHost(_runner!.Size("latents"));
        Upload(latents, 0, 0, input);
        _runner.Run(options, cancellationToken);
        device.Synchronize();
    }

    // Copies a tile of the latents to the device. The host buffer must not change until the copy is finished.
    private void Upload(LatentImage latents, int top, int left, NativeBuffer host)
    {
        Span<float> input = host.AsSpan<float>();
        ModelSpec model = package.Manifest.Model;
        int tileHeight = _shape.LatentHeight;
        int tileWidth = _shape.LatentWidth;
        for (int channel = 0; channel < model.LatentChannels; channel++)
        {
            for (int y = 0; y < tileHeight; y++)
            {
                ReadOnlySpan<float> from = latents.Row(channel, top + y).Slice(left, tileWidth);
                Span<float> to = input.Slice((channel * tileHeight + y) * tileWidth, tileWidth);
                TensorPrimitives.Divide(from, model.LatentScale, to);
            }
        }

        _runner!.Write("latents", host);
    }

    /// <summary>The latents of a picture.</summary>
    /// <param name="values">[4, h, w] fp32 as the UNet sees them; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    private readonly ref struct LatentImage(ReadOnlySpan<float> values, int height, int width)
    {
        public ReadOnlySpan<float> Values { get; } = values;

        public int Height { get; } = height;

        public int Width { get; } = width;

        public ReadOnlySpan<float> Row(int channel, int row) => Values.Slice((channel * Height + row) * Width, Width);
    }
}

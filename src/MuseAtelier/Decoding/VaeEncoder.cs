using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;

namespace MuseAtelier.Decoding;

/// <summary>
/// Encodes pictures to latents, whole or in tiles, which overlap and are blended linearly. The encoder is loaded for a call and released at
/// its end, unless the plan in force keeps it.
/// </summary>
internal sealed class VaeEncoder(ModelPackage package, SessionPool sessions, ExecutionDevice device)
{
    private const int Channels = 3;

    /// <summary>Encodes one picture in one piece.</summary>
    /// <param name="image">[3, 8h, 8w] fp32, -1 to 1; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="mean">[4, h, w] fp32, before the latent scale; overwritten.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <exception cref="ModelPartMissingException">The checkpoint has no encoder.</exception>
    /// <exception cref="NotFiniteException">The encoder gave numbers that are not finite.</exception>
    public void Encode(
        ReadOnlySpan<float> image, int height, int width, Span<float> mean, RunOptions options, CancellationToken cancellationToken)
    {
        Encode(image, height, width, null, mean, default, options, cancellationToken);
    }

    /// <summary>The encoder of a package.</summary>
    /// <exception cref="ModelPartMissingException">The checkpoint has no encoder.</exception>
    public static ComponentSpec Require(ModelPackage package) =>
        package.Manifest.Components.FirstOrDefault(component => component.Name == PipelineRecipe.Encoder)
            ?? throw new ModelPartMissingException(package.Manifest.Checkpoint.Name, PipelineRecipe.Encoder, "VAE encoder");

    /// <summary>Encodes one picture.</summary>
    /// <param name="image">[3, 8h, 8w] fp32, -1 to 1; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="tiles">The tiles of the plan; null means in one piece.</param>
    /// <param name="mean">[4, h, w] fp32, before the latent scale; overwritten.</param>
    /// <param name="logVariance">[4, h, w] fp32, before the latent scale; overwritten. Empty if it is not needed.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between tiles.</param>
    /// <exception cref="ModelPartMissingException">The checkpoint has no encoder.</exception>
    /// <exception cref="NotFiniteException">The encoder gave numbers that are not finite.</exception>
    public void Encode(
        ReadOnlySpan<float> image, int height, int width, TilePlan? tiles, Span<float> mean, Span<float> logVariance, RunOptions options,
        CancellationToken cancellationToken) =>
        Encode(new SourcePlanes(image, default, height, width), tiles, mean, logVariance, options, cancellationToken);

    /// <summary>Encodes one picture of bytes.</summary>
    /// <param name="pixels">[8h, 8w, 3] interleaved sRGB, 8 bits a channel; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="tiles">The tiles of the plan; null means in one piece.</param>
    /// <param name="mean">[4, h, w] fp32, before the latent scale; overwritten.</param>
    /// <param name="logVariance">[4, h, w] fp32, before the latent scale; overwritten; empty if it is not needed.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between tiles.</param>
    /// <exception cref="ModelPartMissingException">The checkpoint has no encoder.</exception>
    /// <exception cref="NotFiniteException">The encoder gave numbers that are not finite.</exception>
    public void Encode(
        ReadOnlySpan<byte> pixels, int height, int width, TilePlan? tiles, Span<float> mean, Span<float> logVariance, RunOptions options,
        CancellationToken cancellationToken) =>
        Encode(new SourcePlanes(default, pixels, height, width), tiles, mean, logVariance, options, cancellationToken);

    private void Encode(
        SourcePlanes source, TilePlan? tiles, Span<float> mean, Span<float> logVariance, RunOptions options,
        CancellationToken cancellationToken)
    {
        ComponentSpec component = Require(package);
        var grid = new TileGrid(source.Height, source.Width, tiles?.TileHeight ?? source.Height, tiles?.TileWidth ?? source.Width);
        bool isWhole = false;
        try
        {
            var tile = new PictureShape(1, grid.TileHeight, grid.TileWidth, 0);
            using var runner = new ComponentRunner(component, tile, sessions, device);
            EncodeTiles(runner, source, grid, mean, logVariance, options, cancellationToken);
            isWhole = true;
        }
        finally
        {
            // A run that failed or was stopped has not given its working memory back.
            if (!sessions.KeepsEncoder || !isWhole) Release(component);
        }

        bool isFinite = !mean.ContainsAnyExceptInRange(float.MinValue, float.MaxValue)
            && !logVariance.ContainsAnyExceptInRange(float.MinValue, float.MaxValue);
        if (!isFinite) throw NotFiniteException.OfEncoder(package.Manifest.PartPrecisions.Vae.Arithmetic);
    }

    private void EncodeTiles(
        ComponentRunner runner, SourcePlanes source, TileGrid grid, Span<float> mean, Span<float> logVariance, RunOptions options,
        CancellationToken cancellationToken)
    {
        using NativeBuffer image = device.AllocateHost(runner.Size("image"));
        using NativeBuffer means = device.AllocateHost(runner.Size("mean"));
        using NativeBuffer logVariances = device.AllocateHost(runner.Size("log_variance"));
        try
        {
            for (int i = 0; i < grid.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                source.Read(grid.AreaOf(i, LatentGeometry.VaeScaleFactor), image.AsSpan<float>());
                runner.Write("image", image);
                runner.Run(options, cancellationToken, isLastRound: i == grid.Count - 1);
                runner.Read("mean", means);
                runner.Read("log_variance", logVariances);
                device.Synchronize();
                TileArea area = grid.AreaOf(i, scale: 1);
                TileGrid.Blend(means.AsSpan<float>(), mean, source.Height, source.Width, area);
                if (!logVariance.IsEmpty)
                    TileGrid.Blend(logVariances.AsSpan<float>(), logVariance, source.Height, source.Width, area);
            }
        }
        finally
        {
            // No copy may be under way when the buffers are freed, not even after a failure.
            device.Synchronize();
        }
    }

    // Where all sessions share one arena, the encoder's blocks stay in it until it is trimmed. A captured run refers to the shared arena,
    // but a device that captures gives the encoder an arena of its own, which ends with its session.
    private void Release(ComponentSpec component)
    {
        sessions.Release(component);
        if (device is { ArenaStatistics: not null, CapturesRuns: false }) ArenaTrimmer.Empty(device);
    }

    /// <summary>The numbers of a picture: planes of fp32, or pixels of bytes.</summary>
    /// <param name="planes">[3, 8h, 8w] fp32; empty if there are pixels.</param>
    /// <param name="pixels">[8h, 8w, 3] bytes; empty if there are planes.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    private readonly ref struct SourcePlanes(ReadOnlySpan<float> planes, ReadOnlySpan<byte> pixels, int height, int width)
    {
        private readonly ReadOnlySpan<float> _planes = planes;
        private readonly ReadOnlySpan<byte> _pixels = pixels;

        /// <summary>Height in latents.</summary>
        public int Height { get; } = height;

        /// <summary>Width in latents.</summary>
        public int Width { get; } = width;

        /// <summary>Reads a tile.</summary>
        /// <param name="area">Its place in px.</param>
        /// <param name="tile">[3, area.Height, area.Width] fp32, -1 to 1; overwritten.</param>
        public void Read(TileArea area, Span<float> tile)
        {
            int rows = Height * LatentGeometry.VaeScaleFactor;
            int stride = Width * LatentGeometry.VaeScaleFactor;
            for (int channel = 0; channel < Channels; channel++)
            {
                for (int y = 0; y < area.Height; y++)
                {
                    Span<float> to = tile.Slice((channel * area.Height + y) * area.Width, area.Width);
                    int top = area.Top + y;
                    if (!_planes.IsEmpty)
                    {
                        _planes.Slice((channel * rows + top) * stride + area.Left, area.Width).CopyTo(to);
                        continue;
                    }

                    ReadOnlySpan<byte> from = _pixels.Slice((top * stride + area.Left) * Channels, area.Width * Channels);
                    for (int x = 0; x < area.Width; x++) to[x] = from[x * Channels + channel] / 127.5f - 1;
                }
            }
        }
    }
}

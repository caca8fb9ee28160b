using MuseAtelier.Format;

namespace MuseAtelier.Recipe;

/// <summary>The sizes of latents, of pictures and of the tiles in which pictures are decoded.</summary>
internal static class LatentGeometry
{
    /// <summary>Pixels of the picture for one latent, a side.</summary>
    public const int VaeScaleFactor = 8;

    /// <summary>Side of a tile in latents: 512 px, the smallest size of whole pictures in the training of SDXL's VAE.</summary>
    public const int TileSide = 64;

    /// <summary>Latents that neighbouring tiles share at least; the blend covers all of them.</summary>
    public const int TileOverlap = 16;

    /// <summary>
    /// The first latents of the tiles along a side: spaced evenly, from 0 to the last tile's, with at least the overlap in common.
    /// </summary>
    public static int[] TileStarts(int size, int tile)
    {
        if (tile >= size) return [0];
        int count = (size - TileOverlap + (tile - TileOverlap) - 1) / (tile - TileOverlap);
        int[] starts = new int[count];
        for (int i = 0; i < count; i++) starts[i] = (int)((long)i * (size - tile) / (count - 1));
        return starts;
    }

    /// <summary>The shape that decides the sizes of the post-processing's tensors.</summary>
    /// <param name="height">The latent's height.</param>
    /// <param name="width">The latent's width.</param>
    /// <param name="frame">The frame, or null.</param>
    public static PictureShape PostProcessingShape(int height, int width, PictureFrame? frame)
    {
        var shape = new PictureShape(1, height, width, 0);
        if (frame is null) return shape;
        (int canvasWidth, int canvasHeight) = frame.CanvasOf(width * VaeScaleFactor, height * VaeScaleFactor);
        return shape with { CanvasHeight = canvasHeight, CanvasWidth = canvasWidth };
    }
}

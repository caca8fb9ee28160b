using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;

namespace MuseAtelier.Residency;

/// <summary>A way to encode an existing picture.</summary>
/// <param name="BlockBytes">Bytes of the tensors between graphs; on a processor also of a tile's pixels in host memory.</param>
/// <param name="ArenaBytes">Bytes of working memory.</param>
/// <param name="Seconds">Seconds of one picture.</param>
internal sealed record EncodingChoice(long BlockBytes, long ArenaBytes, double Seconds);

/// <summary>A way to decode, and to encode in the same tiles.</summary>
/// <param name="Tiles">The tiles.</param>
/// <param name="BlockBytes">Bytes of the tensors between graphs.</param>
/// <param name="ArenaBytes">Bytes of working memory.</param>
/// <param name="Seconds">Seconds of one picture.</param>
internal sealed record TileChoice(TilePlan Tiles, long BlockBytes, long ArenaBytes, double Seconds)
{
    /// <summary>Bytes of tensors and working memory.</summary>
    public long Bytes => BlockBytes + ArenaBytes;

    /// <summary>
    /// How an existing picture is encoded; null if none is. Its tiles are those of the decoding, so that a picture's record, which names
    /// one size of tiles, tells all of them.
    /// </summary>
    public EncodingChoice? Encoding { get; init; }
}

/// <summary>Lists the ways to decode a picture that are worth considering: each is faster than all that take less memory.</summary>
internal static class TileChoices
{
    /// <summary>Side of the smallest tile that a plan chooses, in latents: smaller tiles would change pictures more.</summary>
    public const int SmallestSide = LatentGeometry.TileSide;

    /// <summary>Side of the smallest tile where the picture would otherwise fail, in latents.</summary>
    public const int SmallestRescueSide = LatentGeometry.TileSide / 2;

    /// <summary>
    /// The most latents of a tile, those of 2048x2048 px. No tensor of the VAE then takes more than 2 GiB in fp16, which is as far as the
    /// kernels' indices reach.
    /// </summary>
    public const int LargestArea = LargestSquare * LargestSquare;

    private const int LargestSquare = 256;

    private const int SideStep = 8;

    /// <summary>The choices for a request's pictures, the fastest first.</summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures' size and frame, and which tiles are allowed.</param>
    /// <param name="decoder">The component that decodes.</param>
    /// <param name="smallest">Side of the smallest tile, in latents.</param>
    /// <param name="device">The costs of the device.</param>
    public static IReadOnlyList<TileChoice> For(
        ModelSizes model, ResidencyRequest request, string decoder, int smallest, DeviceProfile device)
    {
        int height = request.Height / LatentGeometry.VaeScaleFactor;
        int width = request.Width / LatentGeometry.VaeScaleFactor;
        if (request.VaeTiling == VaeTiling.Whole) request = Whole(request, height, width);
        ComponentSpec component = model.Component(decoder);
        ComponentSpec postProcessor = model.Component(PipelineRecipe.PostProcessor(request.Frame is not null));
        PictureShape whole = LatentGeometry.PostProcessingShape(height, width, request.Frame);
        long postProcessorArena = device.ArenaBytes(postProcessor.Name, whole);
        var choices = new List<TileChoice>();
        foreach (int tileHeight in Sides(height, request.VaeTiling, request.VaeTile?.Height, smallest))
        {
            foreach (int tileWidth in Sides(width, request.VaeTiling, request.VaeTile?.Width, smallest))
            {
                if (tileHeight * tileWidth > LargestArea) continue;
                var tile = new PictureShape(1, tileHeight, tileWidth, 0);
                int rows = LatentGeometry.TileStarts(height, tileHeight).Length;
                int columns = LatentGeometry.TileStarts(width, tileWidth).Length;
                var plan = new TilePlan(tileHeight, tileWidth, rows, columns);
                // A picture that is decoded whole is post-processed where it lies.
                bool LiesElsewhere(TensorSpec tensor) => plan.IsWhole && tensor.Name == "image";
                long blocks = TensorBlocks.Bytes(component, tile)
                    + TensorBlocks.Bytes(postProcessor, whole, LiesElsewhere)
                    + AssemblyBytes(whole, plan, device);
                double seconds = rows * columns * (device.TileSeconds + device.DecodingSecondsPerPixel * tileHeight * tileWidth);
                choices.Add(new TileChoice(plan, blocks, device.ArenaBytes(decoder, tile) + postProcessorArena, seconds)
                {
                    Encoding = request.EncodesSource ? EncodingIn(plan, model, device) : null,
                });
            }
        }

        choices.Sort((a, b) => (a.Seconds, a.Bytes).CompareTo((b.Seconds, b.Bytes)));
        var worth = new List<TileChoice>();
        foreach (TileChoice choice in choices)
        {
            bool TakesLess(TileChoice faster) => choice.ArenaBytes < faster.ArenaBytes || choice.BlockBytes < faster.BlockBytes;
            if (worth.TrueForAll(TakesLess)) worth.Add(choice);
        }

        return worth;
    }

    // A picture that is too large for one piece is decoded in the largest square tiles.
    private static ResidencyRequest Whole(ResidencyRequest request, int height, int width)
    {
        TileSize tile = height * width <= LargestArea ? new TileSize(height, width) : new TileSize(LargestSquare, LargestSquare);
        return request with { VaeTiling = VaeTiling.Tiled, VaeTile = tile };
    }

    private static EncodingChoice EncodingIn(TilePlan plan, ModelSizes model, DeviceProfile device)
    {
        ComponentSpec encoder = model.Component(PipelineRecipe.Encoder);
        var tile = new PictureShape(1, plan.TileHeight, plan.TileWidth, 0);
        double tileSeconds = device.TileSeconds + device.EncodingSecondsPerPixel * plan.TileHeight * plan.TileWidth;
        long host = device.MapsWeights ? encoder.Inputs.Concat(encoder.Outputs).Sum(tensor => tensor.Bytes(tile)) : 0;
        return new EncodingChoice(
            TensorBlocks.Bytes(encoder, tile) + host,
            device.ArenaBytes(encoder.Name, tile),
            plan.Rows * plan.Columns * tileSeconds);
    }

    // A picture in tiles is assembled in host memory. On a processor that memory counts; for pictures of up to 2048x2048 px, the margin of
    // a plan has room for it.
    private static long AssemblyBytes(PictureShape whole, TilePlan plan, DeviceProfile device)
    {
        const int channels = 3;
        long area = (long)whole.LatentHeight * whole.LatentWidth;
        if (!device.MapsWeights || plan.IsWhole || area <= LargestArea) return 0;
        return channels * sizeof(float) * area * LatentGeometry.VaeScaleFactor * LatentGeometry.VaeScaleFactor;
    }

    // The sides are the same for every picture, cut to its own size. So a smaller picture has every choice that a larger one has, and none
    // of them costs more.
    private static IEnumerable<int> Sides(int side, VaeTiling tiling, int? fixedSide, int smallest)
    {
        if (tiling == VaeTiling.Tiled) return [Math.Min(Math.Max(SmallestRescueSide, fixedSide ?? smallest), side)];
        const int largest = RequestRules.LargestSide / LatentGeometry.VaeScaleFactor;
        int first = smallest / SideStep;
        int count = largest / SideStep - first + 1;
        return Enumerable.Range(first, count).Select(step => Math.Min(step * SideStep, side)).Distinct();
    }
}

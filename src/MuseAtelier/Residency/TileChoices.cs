using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;

namespace MuseAtelier.Residency;

/// <summary>A way to decode.</summary>
/// <param name="Tiles">The tiles.</param>
/// <param name="BlockBytes">Bytes of the tensors between graphs.</param>
/// <param name="ArenaBytes">Bytes of working memory.</param>
/// <param name="Seconds">Seconds of one picture.</param>
internal sealed record TileChoice(TilePlan Tiles, long BlockBytes, long ArenaBytes, double Seconds)
{
    /// <summary>Bytes of tensors and working memory.</summary>
    public long Bytes => BlockBytes + ArenaBytes;
}

/// <summary>Lists the ways to decode a picture that are worth considering: each is faster than all that take less memory.</summary>
internal static class TileChoices
{
    /// <summary>Side of the smallest tile that a plan chooses, in latents: smaller tiles would change pictures more.</summary>
    public const int SmallestSide = LatentGeometry.TileSide;

    /// <summary>Side of the smallest tile where the picture would otherwise fail, in latents.</summary>
    public const int SmallestRescueSide = LatentGeometry.TileSide / 2;

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
        ComponentSpec component = model.Component(decoder);
        ComponentSpec postProcessor = model.Component(PipelineRecipe.PostProcessor(request.Frame is not null));
        PictureShape whole = LatentGeometry.PostProcessingShape(height, width, request.Frame);
        long postProcessorArena = device.ArenaBytes(postProcessor.Name, whole);
        var choices = new List<TileChoice>();
        foreach (int tileHeight in Sides(height, request.VaeTiling, request.VaeTile?.Height, smallest))
        {
            foreach (int tileWidth in Sides(width, request.VaeTiling, request.VaeTile?.Width, smallest))
            {
                var tile = new PictureShape(1, tileHeight, tileWidth, 0);
                int rows = LatentGeometry.TileStarts(height, tileHeight).Length;
                int columns = LatentGeometry.TileStarts(width, tileWidth).Length;
                var plan = new TilePlan(tileHeight, tileWidth, rows, columns);
                // A picture that is decoded whole is post-processed where it lies.
                bool LiesElsewhere(TensorSpec tensor) => plan.IsWhole && tensor.Name == "image";
                long blocks = TensorBlocks.Bytes(component, tile)
                    + TensorBlocks.Bytes(postProcessor, whole, LiesElsewhere);
                double seconds = rows * columns * (device.TileSeconds + device.DecodingSecondsPerPixel * tileHeight * tileWidth);
                choices.Add(new TileChoice(plan, blocks, device.ArenaBytes(decoder, tile) + postProcessorArena, seconds));
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

    // The sides are the same for every picture, cut to its own size. So a smaller picture has every choice that a larger one has, and none
    // of them costs more.
    private static IEnumerable<int> Sides(int side, VaeTiling tiling, int? fixedSide, int smallest)
    {
        if (tiling == VaeTiling.Tiled) return [Math.Min(Math.Max(SmallestRescueSide, fixedSide ?? smallest), side)];
        if (tiling == VaeTiling.Whole) return [side];
        const int largest = RequestRules.LargestSide / LatentGeometry.VaeScaleFactor;
        int first = smallest / SideStep;
        int count = largest / SideStep - first + 1;
        return Enumerable.Range(first, count).Select(step => Math.Min(step * SideStep, side)).Distinct();
    }
}

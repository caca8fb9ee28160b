using MuseAtelier.Decoding;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Residency;

/// <summary>A way to decode.</summary>
/// <param name="Tiles">The tiles.</param>
/// <param name="BlockBytes">Bytes of the tensors between graphs.</param>
/// <param name="ArenaBytes">Bytes of working memory.</param>
/// <param name="Seconds">Seconds of one picture.</param>
internal sealed record TileChoice(TilePlan Tiles, long BlockBytes, long ArenaBytes, double Seconds);

/// <summary>The ways to decode a picture that are worth a thought: each is faster than all that take less memory.</summary>
internal static class TileChoices
{
    /// <summary>Side of the smallest tile where pictures may suffer no more than that, and where they otherwise would not come out at all.</summary>
    public const int SmallestSide = VaeDecoder.Tile, SmallestRescueSide = VaeDecoder.Tile / 2;

    private const int SideStep = 8;

    public static IReadOnlyList<TileChoice> For(ModelSizes model, string decoder, int height, int width, VaeTiling tiling, TileSize? fixedTile, int smallest, PictureFrame? frame, DeviceProfile device)
    {
        ComponentSpec component = model.Component(decoder), finishing = model.Component(PostProcessor.ComponentName(frame));
        PictureShape whole = PostProcessor.Shape(height, width, frame);
        long finishingArena = device.ArenaBytes(finishing.Name, whole);
        var choices = new List<TileChoice>();
        foreach (int tileHeight in Sides(height, tiling, fixedTile?.Height, smallest))
        {
            foreach (int tileWidth in Sides(width, tiling, fixedTile?.Width, smallest))
            {
                var tile = new PictureShape(1, tileHeight, tileWidth, 0);
                var plan = new TilePlan(tileHeight, tileWidth, VaeDecoder.Starts(height, tileHeight).Length, VaeDecoder.Starts(width, tileWidth).Length);
                // Decoded whole, the picture is finished where it lies.
                long blocks = ComponentRunner.BlockBytes(component, tile) + ComponentRunner.BlockBytes(finishing, whole, tensor => plan.IsWhole && tensor.Name == "image");
                double seconds = plan.Rows * plan.Columns * (device.TileSeconds + device.DecodingSecondsPerPixel * tileHeight * tileWidth);
                choices.Add(new TileChoice(plan, blocks, device.ArenaBytes(decoder, tile) + finishingArena, seconds));
            }
        }

        choices.Sort((a, b) => (a.Seconds, a.BlockBytes + a.ArenaBytes).CompareTo((b.Seconds, b.BlockBytes + b.ArenaBytes)));
        var worth = new List<TileChoice>();
        foreach (TileChoice choice in choices)
            if (worth.TrueForAll(faster => choice.ArenaBytes < faster.ArenaBytes || choice.BlockBytes < faster.BlockBytes)) worth.Add(choice);
        return worth;
    }

    // The same sides for every picture, cut to its own: so a smaller picture has every choice that a larger one has, and none costs more.
    private static IEnumerable<int> Sides(int side, VaeTiling tiling, int? fixedSide, int smallest)
    {
        if (tiling == VaeTiling.Tiled) return [Math.Min(Math.Max(SmallestRescueSide, fixedSide ?? smallest), side)];
        if (tiling == VaeTiling.Whole) return [side];
        return Enumerable.Range(smallest / SideStep, RequestRules.LargestSide / VaeDecoder.VaeScaleFactor / SideStep - smallest / SideStep + 1).Select(step => Math.Min(step * SideStep, side)).Distinct();
    }
}

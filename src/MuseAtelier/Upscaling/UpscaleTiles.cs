namespace MuseAtelier.Upscaling;

/// <summary>The size of the tiles in which pictures are enlarged.</summary>
/// <param name="Side">The longest side of a tile in px, a multiple of <see cref="SideMultiple"/>.</param>
/// <param name="Overlap">
/// The pixels that a tile reads beyond those that it gives, a multiple of <see cref="SideMultiple"/> below half of the side.
/// </param>
internal readonly record struct UpscaleTiling(int Side, int Overlap)
{
    /// <summary>Sides and overlaps are multiples of this, which every network can divide.</summary>
    public const int SideMultiple = Format.UpscalerSpec.LargestMultiple;

    /// <summary>The tiles that may be chosen, the largest first.</summary>
    public static IReadOnlyList<int> Sides { get; } = [256, 192, 128, 96, 64];

    /// <summary>
    /// The usual overlap. The networks of the RRDB architecture depend on pixels that are hundreds of pixels away, but hardly on those that
    /// are farther than this.
    /// </summary>
    public const int UsualOverlap = 16;
}

/// <summary>The tiles of one direction of a picture: where each one begins, and which pixels of the result are taken from it.</summary>
internal sealed class TileAxis
{
    /// <summary>Divides a side of a picture.</summary>
    /// <param name="length">The side in px, from 1.</param>
    /// <param name="tiling">The size of the tiles.</param>
    /// <param name="multiple">The number of which the tile's side must be a multiple.</param>
    public TileAxis(int length, UpscaleTiling tiling, int multiple)
    {
        Length = length;
        int padded = (length + multiple - 1) / multiple * multiple;
        Side = Math.Min(padded, tiling.Side);
        var starts = new List<int>();
        int step = tiling.Side - 2 * tiling.Overlap;
        for (int start = 0; start + Side < padded; start += step) starts.Add(start);
        // The last tile ends with the picture, so that all tiles have the same size.
        starts.Add(padded - Side);
        Starts = starts;
    }

    /// <summary>The side of the picture in px.</summary>
    public int Length { get; }

    /// <summary>The side of every tile in px. It may be longer than the picture, which is then mirrored at its edge.</summary>
    public int Side { get; }

    /// <summary>The first pixel of each tile.</summary>
    public IReadOnlyList<int> Starts { get; }

    /// <summary>The pixels of the picture that are taken from a tile: those between the middles of its overlaps.</summary>
    /// <param name="tile">The tile.</param>
    public (int First, int End) Taken(int tile)
    {
        int first = tile == 0 ? 0 : Seam(tile - 1);
        int end = tile == Starts.Count - 1 ? Length : Seam(tile);
        return (first, end);
    }

    /// <summary>The pixel of the picture for a position, which beyond the end is mirrored at the last pixel.</summary>
    public int Source(int position) => position < Length ? position : Math.Max(0, 2 * (Length - 1) - position);

    private int Seam(int tile) => (Starts[tile + 1] + Starts[tile] + Side) / 2;
}

using System.Numerics.Tensors;
using MuseAtelier.Recipe;

namespace MuseAtelier.Decoding;

/// <summary>
/// The tiles in which the VAE works on a picture: spaced evenly, with an overlap, in which a tile's share rises linearly from its left and
/// top edges.
/// </summary>
internal sealed class TileGrid
{
    private readonly int[] _rows;
    private readonly int[] _columns;

    /// <param name="height">Height of the picture in latents.</param>
    /// <param name="width">Width of the picture in latents.</param>
    /// <param name="tileHeight">Height of a tile in latents.</param>
    /// <param name="tileWidth">Width of a tile in latents.</param>
    public TileGrid(int height, int width, int tileHeight, int tileWidth)
    {
        (TileHeight, TileWidth) = (tileHeight, tileWidth);
        _rows = LatentGeometry.TileStarts(height, tileHeight);
        _columns = LatentGeometry.TileStarts(width, tileWidth);
    }

    /// <summary>Height of a tile in latents.</summary>
    public int TileHeight { get; }

    /// <summary>Width of a tile in latents.</summary>
    public int TileWidth { get; }

    /// <summary>The number of tiles.</summary>
    public int Count => _rows.Length * _columns.Length;

    /// <summary>The place of a tile.</summary>
    /// <param name="tile">The tile, from 0, row by row.</param>
    /// <param name="scale">The unit: 1 for latents, 8 for px.</param>
    public TileArea AreaOf(int tile, int scale)
    {
        int row = tile / _columns.Length;
        int column = tile % _columns.Length;
        int sharedRows = row == 0 ? 0 : _rows[row - 1] + TileHeight - _rows[row];
        int sharedColumns = column == 0 ? 0 : _columns[column - 1] + TileWidth - _columns[column];
        return new TileArea(
            TileHeight * scale, TileWidth * scale, _rows[row] * scale, _columns[column] * scale, sharedRows * scale, sharedColumns * scale);
    }

    /// <summary>Writes a tile over earlier tiles. In the overlap its share rises linearly from its left and top edges.</summary>
    /// <param name="tile">[channels, area.Height, area.Width] fp32; borrowed.</param>
    /// <param name="image">[channels, height, width] fp32; overwritten where the tile lies.</param>
    /// <param name="height">Height of the whole image.</param>
    /// <param name="width">Width of the whole image.</param>
    /// <param name="area">The place of the tile.</param>
    public static void Blend(ReadOnlySpan<float> tile, Span<float> image, int height, int width, TileArea area)
    {
        int channels = tile.Length / (area.Height * area.Width);
        for (int channel = 0; channel < channels; channel++)
        {
            for (int y = 0; y < area.Height; y++)
            {
                ReadOnlySpan<float> from = tile.Slice((channel * area.Height + y) * area.Width, area.Width);
                Span<float> to = image.Slice((channel * height + area.Top + y) * width + area.Left, area.Width);
                float down = y < area.SharedRows ? (y + 0.5f) / area.SharedRows : 1;
                for (int x = 0; x < area.SharedColumns; x++)
                {
                    // In a corner both edges overlap, and the image already holds a blend of three tiles.
                    float share = Math.Min(down, (x + 0.5f) / area.SharedColumns);
                    to[x] += (from[x] - to[x]) * share;
                }

                ReadOnlySpan<float> newPart = from[area.SharedColumns..];
                Span<float> oldPart = to[area.SharedColumns..];
                if (down >= 1) newPart.CopyTo(oldPart);
                else TensorPrimitives.Lerp(oldPart, newPart, down, oldPart);
            }
        }
    }
}

/// <summary>The place of a tile in the picture, in latents or in px.</summary>
/// <param name="Height">Height of the tile.</param>
/// <param name="Width">Width of the tile.</param>
/// <param name="Top">The tile's first row in the picture.</param>
/// <param name="Left">The tile's first column in the picture.</param>
/// <param name="SharedRows">Rows that the tile shares with the tile above it.</param>
/// <param name="SharedColumns">Columns that the tile shares with the tile to the left of it.</param>
internal readonly record struct TileArea(int Height, int Width, int Top, int Left, int SharedRows, int SharedColumns);

namespace MuseAtelier.Upscaling;

/// <summary>Cuts a picture into tiles, and puts the enlarged tiles together.</summary>
/// <param name="Columns">The tiles from left to right.</param>
/// <param name="Rows">The tiles from top to bottom.</param>
/// <param name="Scale">The factor of width and height.</param>
/// <param name="Progress">Receives the number of finished tiles, and that of all.</param>
internal sealed record TiledPicture(TileAxis Columns, TileAxis Rows, int Scale, Action<int, int>? Progress)
{
    private const int Channels = 3;

    /// <summary>The number of tiles.</summary>
    public int Count => Columns.Starts.Count * Rows.Starts.Count;

    /// <summary>Copies the pixels of a tile.</summary>
    /// <param name="tile">The tile, row by row.</param>
    /// <param name="picture">[height, width, 3].</param>
    /// <param name="result">[tile height, tile width, 3]; overwritten.</param>
    public void Cut(int tile, ReadOnlySpan<byte> picture, Span<byte> result)
    {
        (int row, int column) = Math.DivRem(tile, Columns.Starts.Count);
        int left = Columns.Starts[column], top = Rows.Starts[row];
        int inside = Math.Min(Columns.Side, Columns.Length - left);
        for (int y = 0; y < Rows.Side; y++)
        {
            ReadOnlySpan<byte> line = picture.Slice(Rows.Source(top + y) * Columns.Length * Channels, Columns.Length * Channels);
            Span<byte> target = result.Slice(y * Columns.Side * Channels, Columns.Side * Channels);
            line.Slice(left * Channels, inside * Channels).CopyTo(target);
            for (int x = inside; x < Columns.Side; x++)
                line.Slice(Columns.Source(left + x) * Channels, Channels).CopyTo(target[(x * Channels)..]);
        }
    }

    /// <summary>Copies the pixels that are taken from an enlarged tile, and reports it.</summary>
    /// <param name="tile">The tile, row by row.</param>
    /// <param name="enlarged">[tile height * scale, tile width * scale, 3].</param>
    /// <param name="result">[height * scale, width * scale, 3].</param>
    public void Place(int tile, ReadOnlySpan<byte> enlarged, Span<byte> result)
    {
        (int row, int column) = Math.DivRem(tile, Columns.Starts.Count);
        (int left, int right) = Columns.Taken(column);
        (int top, int bottom) = Rows.Taken(row);
        int length = (right - left) * Scale * Channels;
        for (int y = top * Scale; y < bottom * Scale; y++)
        {
            int fromByte = ((y - Rows.Starts[row] * Scale) * Columns.Side * Scale + (left - Columns.Starts[column]) * Scale) * Channels;
            int toByte = (y * Columns.Length * Scale + left * Scale) * Channels;
            enlarged.Slice(fromByte, length).CopyTo(result[toByte..]);
        }

        Progress?.Invoke(tile + 1, Count);
    }
}

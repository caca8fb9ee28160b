using MuseAtelier.Pictures.Containers;

namespace MuseAtelier.Pictures.Sheets;

/// <summary>Sizes and places of a contact sheet's parts, in px.</summary>
internal sealed class SheetLayout
{
    /// <summary>The most pictures of a sheet.</summary>
    public const int MostCells = 4096;

    /// <summary>The space around each picture and its label.</summary>
    public const int Margin = 8;

    /// <summary>The factor by which letters are enlarged.</summary>
    public const int LetterScale = 2;

    /// <summary>The height of a label, with the space above it.</summary>
    public const int LabelHeight = BitmapFont.Height * LetterScale + Margin;

    private const int LongestSide = 512;

    // Even the most pictures make a sheet with these that is within the limit.
    private const int ShortestLimit = 64;

    private SheetLayout(IReadOnlyList<ContactSheetCell> cells, int columns, int longestSide)
    {
        Columns = columns;
        Rows = (cells.Count + columns - 1) / columns;
        Pictures = [.. cells.Select(cell => SizeOf(cell, longestSide))];
        SlotWidth = Pictures.Max(size => size.Width);
        SlotHeight = Pictures.Max(size => size.Height);
    }

    /// <summary>The number of columns.</summary>
    public int Columns { get; }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>The size of each picture.</summary>
    public IReadOnlyList<(int Width, int Height)> Pictures { get; }

    /// <summary>The width of a column, without the margin.</summary>
    public int SlotWidth { get; }

    /// <summary>The height of a row, without label and margin.</summary>
    public int SlotHeight { get; }

    /// <summary>The width of the sheet.</summary>
    public int Width => Margin + Columns * (SlotWidth + Margin);

    /// <summary>The height of the sheet.</summary>
    public int Height => Margin + Rows * (SlotHeight + LabelHeight + Margin);

    /// <summary>Lays out a sheet.</summary>
    /// <param name="cells">The pictures; at most <see cref="MostCells"/>.</param>
    /// <param name="columns">The number of columns; at most that of the pictures.</param>
    public static SheetLayout Of(IReadOnlyList<ContactSheetCell> cells, int columns)
    {
        SheetLayout layout;
        int longestSide = LongestSide;
        do
        {
            layout = new SheetLayout(cells, columns, longestSide);
            longestSide /= 2;
        }
        while ((long)layout.Width * layout.Height > PixelCodecs.MostPixels && longestSide >= ShortestLimit);
        return layout;
    }

    /// <summary>The upper left of a picture, which is centred in its column and stands on its label.</summary>
    /// <param name="cell">The picture's number, from 0.</param>
    public (int X, int Y) PlaceOf(int cell)
    {
        (int width, int height) = Pictures[cell];
        int x = Margin + cell % Columns * (SlotWidth + Margin) + (SlotWidth - width) / 2;
        int y = Margin + cell / Columns * (SlotHeight + LabelHeight + Margin) + SlotHeight - height;
        return (x, y);
    }

    private static (int Width, int Height) SizeOf(ContactSheetCell cell, int longestSide)
    {
        long longer = Math.Max(cell.Width, cell.Height);
        if (longer <= longestSide) return (cell.Width, cell.Height);
        return ((int)Math.Max(1, cell.Width * longestSide / longer), (int)Math.Max(1, cell.Height * longestSide / longer));
    }
}

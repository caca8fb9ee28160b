using MuseAtelier.Imaging;

namespace MuseAtelier.Pictures.Sheets;

/// <summary>Paints the pixels of contact sheets: dark labels and pictures on white.</summary>
internal static class SheetPainter
{
    private const int Channels = 3;
    private const byte Paper = 255;
    private const byte Ink = 32;

    /// <summary>Paints a sheet.</summary>
    /// <param name="cells">The pictures.</param>
    /// <param name="layout">Where they are.</param>
    /// <returns>[Height, Width, 3] RGB.</returns>
    public static byte[] Paint(IReadOnlyList<ContactSheetCell> cells, SheetLayout layout)
    {
        byte[] sheet = new byte[layout.Width * layout.Height * Channels];
        sheet.AsSpan().Fill(Paper);
        for (int cell = 0; cell < cells.Count; cell++)
        {
            (int x, int y) = layout.PlaceOf(cell);
            (int width, int height) = layout.Pictures[cell];
            Place(Scaled(cells[cell], width, height), width, sheet.AsSpan((y * layout.Width + x) * Channels), layout.Width);
            Write(cells[cell].Label, sheet, layout, cell);
        }

        return sheet;
    }

    private static ReadOnlySpan<byte> Scaled(ContactSheetCell cell, int width, int height)
    {
        if ((width, height) == (cell.Width, cell.Height)) return cell.Pixels.Span;
        byte[] scaled = new byte[width * height * Channels];
        Resampler.Resize(cell.Pixels.Span, Channels, cell.Width, cell.Height, scaled, width, height, ResampleFilter.Lanczos);
        return scaled;
    }

    private static void Place(ReadOnlySpan<byte> picture, int width, Span<byte> sheet, int sheetWidth)
    {
        for (int from = 0, to = 0; from < picture.Length; from += width * Channels, to += sheetWidth * Channels)
            picture.Slice(from, width * Channels).CopyTo(sheet[to..]);
    }

    // The label begins below the left edge of the column, so that long ones have most room.
    private static void Write(string label, byte[] sheet, SheetLayout layout, int cell)
    {
        const int scale = SheetLayout.LetterScale;
        int left = SheetLayout.Margin + cell % layout.Columns * (layout.SlotWidth + SheetLayout.Margin);
        int top = (cell / layout.Columns + 1) * (layout.SlotHeight + SheetLayout.LabelHeight + SheetLayout.Margin)
            - BitmapFont.Height * scale;
        int letters = Math.Min(label.Length, (layout.SlotWidth + scale) / (BitmapFont.Advance * scale));
        for (int letter = 0; letter < letters; letter++)
        {
            for (int y = 0; y < BitmapFont.Height * scale; y++)
            {
                for (int x = 0; x < BitmapFont.Width * scale; x++)
                {
                    if (!BitmapFont.HasInk(label[letter], x / scale, y / scale)) continue;
                    int at = (top + y) * layout.Width + left + letter * BitmapFont.Advance * scale + x;
                    sheet.AsSpan(at * Channels, Channels).Fill(Ink);
                }
            }
        }
    }
}

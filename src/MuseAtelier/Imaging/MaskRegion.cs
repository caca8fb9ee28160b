namespace MuseAtelier.Imaging;

/// <summary>
/// The part of a picture that is painted where only the surroundings of a mask are (AUTOMATIC1111, modules/masking.py, get_crop_region and
/// expand_crop_region).
/// </summary>
internal static class MaskRegion
{
    /// <summary>The rectangle around a mask, in the ratio of the size at which it is painted as far as the picture allows.</summary>
    /// <param name="mask">[height, width], which is not 0 everywhere.</param>
    /// <param name="size">The size of the mask in px.</param>
    /// <param name="padding">The px around what is masked.</param>
    /// <param name="painted">The size in px at which the rectangle is painted.</param>
    public static PixelRectangle Of(
        ReadOnlySpan<byte> mask, (int Width, int Height) size, int padding, (int Width, int Height) painted)
    {
        PixelRectangle bounds = Bounds(mask, size.Width);
        (int left, int right) = (Math.Max(bounds.X - padding, 0), Math.Min(bounds.X + bounds.Width + padding, size.Width));
        (int top, int bottom) = (Math.Max(bounds.Y - padding, 0), Math.Min(bounds.Y + bounds.Height + padding, size.Height));
        double ratio = (double)(right - left) / (bottom - top);
        double wanted = (double)painted.Width / painted.Height;
        if (ratio > wanted) (top, bottom) = Grow(top, bottom, (right - left) / wanted, size.Height);
        else (left, right) = Grow(left, right, (bottom - top) * wanted, size.Width);
        return new PixelRectangle(left, top, right - left, bottom - top);
    }

    private static PixelRectangle Bounds(ReadOnlySpan<byte> mask, int width)
    {
        int top = mask.IndexOfAnyExcept((byte)0) / width;
        int bottom = mask.LastIndexOfAnyExcept((byte)0) / width + 1;
        (int left, int right) = (width, 0);
        for (int y = top; y < bottom; y++)
        {
            ReadOnlySpan<byte> row = mask.Slice(y * width, width);
            int first = row.IndexOfAnyExcept((byte)0);
            if (first < 0) continue;
            left = Math.Min(left, first);
            right = Math.Max(right, row.LastIndexOfAnyExcept((byte)0) + 1);
        }

        return new PixelRectangle(left, top, right - left, bottom - top);
    }

    // Grows a range evenly on both sides, moves it into the picture, and cuts off what is still outside.
    private static (int Start, int End) Grow(int start, int end, double wanted, int size)
    {
        int more = (int)(wanted - (end - start));
        start -= more / 2;
        end += more - more / 2;
        if (end >= size) (start, end) = (start - (end - size), size);
        if (start < 0) (start, end) = (0, end - start);
        return (start, Math.Min(end, size));
    }
}

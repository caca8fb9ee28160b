using CommunityToolkit.HighPerformance.Helpers;

namespace MuseAtelier.Decoding;

/// <summary>The decoder's numbers as bytes.</summary>
internal static class PixelConversion
{
    /// <summary>[3, height, width] fp32, -1 to 1, to [height, width, 3] bytes: round(255 clamp(x / 2 + 0.5)), half to even as torch rounds.</summary>
    public static byte[] ToBytes(ReadOnlyMemory<float> image, int height, int width)
    {
        byte[] pixels = GC.AllocateUninitializedArray<byte>(height * width * 3);
        ParallelHelper.For(0, height, new Row(image, pixels, height, width));
        return pixels;
    }

    private readonly struct Row(ReadOnlyMemory<float> image, byte[] pixels, int height, int width) : IAction
    {
        public void Invoke(int y)
        {
            ReadOnlySpan<float> all = image.Span;
            ReadOnlySpan<float> red = all.Slice(y * width, width), green = all.Slice((height + y) * width, width), blue = all.Slice((2 * height + y) * width, width);
            Span<byte> row = pixels.AsSpan(y * width * 3, width * 3);
            for (int x = 0; x < width; x++)
            {
                row[3 * x] = ToByte(red[x]);
                row[3 * x + 1] = ToByte(green[x]);
                row[3 * x + 2] = ToByte(blue[x]);
            }
        }

        private static byte ToByte(float value) => (byte)MathF.Round(Math.Clamp(value / 2 + 0.5f, 0, 1) * 255);
    }
}

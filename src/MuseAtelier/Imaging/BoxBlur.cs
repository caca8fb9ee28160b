using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MuseAtelier.Imaging;

/// <summary>
/// Pillow's Gaussian blur of four channels of 8 bits: three box blurs of fractional radius in each direction (src/libImaging/BoxBlur.c,
/// ImagingGaussianBlur). Its time does not depend on the radius.
/// </summary>
internal static class BoxBlur
{
    private const int Passes = 3;
    private const int Shift = 24;

    /// <summary>Blurs a picture.</summary>
    /// <param name="pixels">[height, width, 4].</param>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    /// <param name="deviation">The standard deviation in px; 0 copies the picture.</param>
    /// <returns>[height, width, 4].</returns>
    public static byte[] Gaussian(byte[] pixels, int width, int height, float deviation)
    {
        byte[] result = pixels.AsSpan().ToArray();
        if (deviation == 0) return result;
        float radius = Radius(deviation);
        var line = new Vector128<uint>[Math.Max(width, height)];
        var blurred = new Vector128<uint>[line.Length];
        Span<uint> places = MemoryMarshal.Cast<byte, uint>(result.AsSpan());
        for (int y = 0; y < height; y++) BlurLine(places[(y * width)..], 1, line.AsSpan(0, width), blurred, radius);
        for (int x = 0; x < width; x++) BlurLine(places[x..], width, line.AsSpan(0, height), blurred, radius);
        return result;
    }

    // Gwosdek and others, "Theoretical foundations of Gaussian convolution by extended box filtering", in Pillow's single precision.
    private static float Radius(float deviation)
    {
        float variance = deviation * deviation / Passes;
        float length = (float)Math.Sqrt(12.0 * variance + 1.0);
        float whole = (float)Math.Floor((length - 1.0) / 2.0);
        float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
        part /= 6 * (variance - (whole + 1) * (whole + 1));
        return whole + part;
    }

    // A line is a row or a column; its pixels lie a step apart.
    private static void BlurLine(Span<uint> pixels, int step, Span<Vector128<uint>> line, Vector128<uint>[] blurred, float radius)
    {
        for (int at = 0; at < line.Length; at++) line[at] = Widen(pixels[at * step]);
        Span<Vector128<uint>> to = blurred.AsSpan(0, line.Length);
        for (int pass = 0; pass < Passes; pass++)
        {
            BlurOnce(line, to, radius);
            to.CopyTo(line);
        }

        for (int at = 0; at < line.Length; at++) pixels[at * step] = Narrow(line[at]);
    }

    // The pixel at the edge stands for those beyond it. The two pixels just outside of the whole radius count in part.
    private static void BlurOnce(ReadOnlySpan<Vector128<uint>> from, Span<Vector128<uint>> to, float radius)
    {
        int whole = (int)radius;
        uint weight = (uint)((1 << Shift) / (radius * 2 + 1));
        uint edgeWeight = ((1u << Shift) - (uint)(whole * 2 + 1) * weight) / 2;
        int last = from.Length - 1;
        Vector128<uint> half = Vector128.Create(1u << (Shift - 1));
        Vector128<uint> sum = Vector128<uint>.Zero;
        for (int at = -whole - 1; at < whole; at++) sum += from[Math.Clamp(at, 0, last)];
        for (int at = 0; at <= last; at++)
        {
            Vector128<uint> leaving = from[Math.Max(at - whole - 1, 0)];
            sum += from[Math.Min(at + whole, last)] - leaving;
            Vector128<uint> edges = leaving + from[Math.Min(at + whole + 1, last)];
            to[at] = (sum * weight + edges * edgeWeight + half) >>> Shift;
        }
    }

    private static Vector128<uint> Widen(uint pixel) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(pixel).AsByte()));

    private static uint Narrow(Vector128<uint> pixel) =>
        Vector128.Narrow(Vector128.Narrow(pixel, pixel), Vector128<ushort>.Zero).AsUInt32().ToScalar();
}

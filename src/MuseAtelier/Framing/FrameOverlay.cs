using System.Numerics;

namespace MuseAtelier.Framing;

/// <summary>
/// A frame to be laid over a canvas: round(picture * keep / 255) + colour. It depends only on the picture's size and on the frame. It
/// must be computed by additions, products, quotients and square roots only, because every processor rounds these alike.
/// </summary>
internal sealed class FrameOverlay
{
    private static readonly Vector3 Light = Vector3.Normalize(new Vector3(-1, -1.15f, 1.5f));

    // The vector half-way between the light and the viewer (Blinn's model of highlights).
    private static readonly Vector3 Half = Vector3.Normalize(Light + Vector3.UnitZ);

    private readonly FrameMoulding _moulding;
    private readonly Vector4[] _tile = new Vector4[FrameTile.Side * FrameTile.Side];

    // Widths from the edge of the canvas in px: of the frame, of its moulding, of the shadow, and of all that the overlay changes.
    private readonly int _frame;
    private readonly int _band;
    private readonly int _shade;
    private readonly int _edge;

    private FrameOverlay(int width, int height, PictureFrame frame)
    {
        (Width, Height) = frame.CanvasOf(width, height);
        _moulding = FrameMoulding.Of(frame.Style);
        _frame = PictureFrame.WidthAt(width, height);
        bool isOutside = frame.Placement == FramePlacement.Outside;

        // The shadow of a frame inside falls on the picture. A frame outside must not change the picture, so its shadow falls on a slip.
        _shade = _frame / 5;
        _band = isOutside ? _frame - Math.Max(2, _frame / 10) : _frame;
        _edge = isOutside ? _frame : _frame + _shade;
        Rows = Map(Height, height);
        Columns = Map(Width, width);
        Colour = new byte[Width * Height * 3];
        Keep = new byte[Width * Height];
        ReadTile(frame.Style);
    }

    /// <summary>Width of the canvas in px.</summary>
    public int Width { get; }

    /// <summary>Height of the canvas in px.</summary>
    public int Height { get; }

    /// <summary>[Height]: the picture's row under each row of the canvas; under the frame, the nearest row.</summary>
    public long[] Rows { get; }

    /// <summary>[Width]: the picture's column under each column of the canvas; under the frame, the nearest column.</summary>
    public long[] Columns { get; }

    /// <summary>[Height, Width, 3]: the colour that the frame adds, sRGB.</summary>
    public byte[] Colour { get; }

    /// <summary>[Height, Width]: the share of the picture that remains; 255 means all of it.</summary>
    public byte[] Keep { get; }

    /// <summary>Computes a frame for pictures of a size.</summary>
    /// <param name="width">The picture's width in px.</param>
    /// <param name="height">The picture's height in px.</param>
    /// <param name="frame">The frame.</param>
    public static FrameOverlay Paint(int width, int height, PictureFrame frame)
    {
        var overlay = new FrameOverlay(width, height, frame);
        overlay.Paint();
        return overlay;
    }

    /// <summary>
    /// Lays the frame over a picture on the host: round(picture * keep / 255) + colour, the same bytes as the framing component computes on
    /// a device.
    /// </summary>
    /// <param name="picture">[height, width, 3] pixels of the size for which the frame was computed.</param>
    /// <param name="width">The picture's width in px.</param>
    /// <param name="canvas">[Height, Width, 3]; overwritten.</param>
    public void LayOver(ReadOnlySpan<byte> picture, int width, Span<byte> canvas)
    {
        for (int y = 0; y < Height; y++)
        {
            ReadOnlySpan<byte> row = picture.Slice((int)Rows[y] * width * 3, width * 3);
            for (int x = 0; x < Width; x++)
            {
                int at = y * Width + x, from = (int)Columns[x] * 3;
                for (int channel = 0; channel < 3; channel++)
                {
                    int rest = (2 * row[from + channel] * Keep[at] + 255) / 510;
                    canvas[at * 3 + channel] = (byte)(rest + Colour[at * 3 + channel]);
                }
            }
        }
    }

    private static long[] Map(int canvas, int picture)
    {
        long[] map = new long[canvas];
        for (int i = 0; i < canvas; i++) map[i] = Math.Clamp(i - (canvas - picture) / 2, 0, picture - 1);
        return map;
    }

    private void ReadTile(FrameStyle style)
    {
        byte[] tile = FrameTile.Draw(style);
        for (int i = 0; i < _tile.Length; i++)
        {
            Vector3 colour = Linear(tile[i * 3], tile[i * 3 + 1], tile[i * 3 + 2]);
            float lightness = (tile[i * 3] * 3 + tile[i * 3 + 1] * 6 + tile[i * 3 + 2]) / 2550f;
            _tile[i] = new Vector4(colour, _moulding.Profile[i / FrameTile.Side] + _moulding.Relief * lightness);
        }
    }

    private void Paint()
    {
        Array.Fill(Keep, (byte)255);
        for (int y = 0; y < Height; y++)
        {
            bool crosses = y < _edge || y >= Height - _edge;
            for (int x = 0; x < Width; x++)
            {
                if (!crosses && x == _edge) x = Width - _edge;
                Paint(x, y);
            }
        }
    }

    private void Paint(int x, int y)
    {
        int depth = Math.Min(Math.Min(x, Width - 1 - x), Math.Min(y, Height - 1 - y));
        int at = y * Width + x;
        if (depth >= _frame)
        {
            Keep[at] = (byte)(255 * Shadow(x, y, _frame) + 0.5f);
            return;
        }

        Keep[at] = 0;
        Vector3 colour = depth < _band
            ? Moulding(x, y)
            : Linear(_moulding.Slip.Red, _moulding.Slip.Green, _moulding.Slip.Blue) * Square(Shadow(x, y, _band));
        (Colour[at * 3], Colour[at * 3 + 1], Colour[at * 3 + 2]) = (Level(colour.X), Level(colour.Y), Level(colour.Z));
    }

    // The share of the light that remains beside a ledge at the given depth. The ledge shades the area to its right and below it, and
    // slightly the areas on its other sides, because every inner corner is darker.
    private float Shadow(int x, int y, int depth) =>
        Beside(x - depth, _shade, 0.62f) * Beside(y - depth, _shade, 0.62f)
        * Beside(Width - 1 - depth - x, _shade / 3, 0.4f) * Beside(Height - 1 - depth - y, _shade / 3, 0.4f);

    private static float Beside(int distance, int reach, float strength)
    {
        float near = 1 - (distance + 0.5f) / Math.Max(reach, 1);
        return near <= 0 ? 1 : 1 - strength * near * near;
    }

    private Vector3 Moulding(int x, int y)
    {
        // Only pixels at the mitre show two sides, so only these are sampled several times.
        float across = Math.Min(x, Width - 1 - x);
        float down = Math.Min(y, Height - 1 - y);
        if (Math.Abs(across - down) > 1) return Surface(x + 0.5f, y + 0.5f);
        const int Samples = 4;
        Vector3 sum = default;
        for (int i = 0; i < Samples; i++)
            for (int j = 0; j < Samples; j++) sum += Surface(x + (i + 0.5f) / Samples, y + (j + 0.5f) / Samples);
        return sum / (Samples * Samples);
    }

    // The colour of the lit surface at a point of the canvas, in linear light.
    private Vector3 Surface(float x, float y)
    {
        float right = Width - x;
        float bottom = Height - y;
        bool isUpright = Math.Min(x, right) < Math.Min(y, bottom);
        float depth = isUpright ? Math.Min(x, right) : Math.Min(y, bottom);
        float along = isUpright ? y : x;
        int length = isUpright ? Height : Width;

        // A side has a whole number of tiles, which are about as long as they are wide.
        float tiles = Math.Max(1, (length + _frame / 2) / _frame);
        float u = along * tiles / length * FrameTile.Side;
        float v = depth / _band * FrameTile.Side;
        Vector4 texel = Texel(u, v, out float slopeAlong, out float slopeInward);
        Vector3 normal = Vector3.Normalize(isUpright
            ? new Vector3(x < right ? -slopeInward : slopeInward, -slopeAlong, 1)
            : new Vector3(-slopeAlong, y < bottom ? -slopeInward : slopeInward, 1));

        Vector3 colour = new(texel.X, texel.Y, texel.Z);
        float mirrored = Math.Max(0, Vector3.Dot(normal, Half));
        for (int i = 0; i < _moulding.Polish; i++) mirrored *= mirrored;
        Vector3 gleam = Vector3.Lerp(Vector3.One, colour, _moulding.Metal) * (_moulding.Gloss * mirrored);
        return colour * (_moulding.Ambient + _moulding.Diffuse * Math.Max(0, Vector3.Dot(normal, Light))) + gleam;
    }

    // Interpolates the tile at a point by cubic splines, and gives the slopes of its height. Coordinates are in columns and rows.
    private Vector4 Texel(float u, float v, out float slopeU, out float slopeV)
    {
        float uFloor = MathF.Floor(u - 0.5f);
        float vFloor = MathF.Floor(v - 0.5f);
        float alongU = 0;
        float alongV = 0;
        (Vector4 acrossWeights, Vector4 acrossSlopes) = Spline(u - 0.5f - uFloor);
        (Vector4 downWeights, Vector4 downSlopes) = Spline(v - 0.5f - vFloor);
        Vector4 sum = default;
        for (int j = 0; j < 4; j++)
        {
            int row = Math.Clamp((int)vFloor - 1 + j, 0, FrameTile.Side - 1) * FrameTile.Side;
            Vector4 line = default;
            float slope = 0;
            for (int i = 0; i < 4; i++)
            {
                Vector4 texel = _tile[row + ((int)uFloor - 1 + i + FrameTile.Side) % FrameTile.Side];
                line += texel * acrossWeights[i];
                slope += texel.W * acrossSlopes[i];
            }

            sum += line * downWeights[j];
            alongU += slope * downWeights[j];
            alongV += line.W * downSlopes[j];
        }

        (slopeU, slopeV) = (alongU, alongV);
        return sum;
    }

    // The uniform cubic B-spline, which has no edges at the borders of pixels, and its derivative.
    private static (Vector4 Weights, Vector4 Slopes) Spline(float t)
    {
        float t2 = t * t;
        float t3 = t2 * t;
        return (
            new Vector4(-t3 + 3 * t2 - 3 * t + 1, 3 * t3 - 6 * t2 + 4, -3 * t3 + 3 * t2 + 3 * t + 1, t3) / 6,
            new Vector4(-t2 + 2 * t - 1, 3 * t2 - 4 * t, -3 * t2 + 2 * t + 1, t2) / 2);
    }

    // Approximates sRGB's curve by a square. That is close enough for lighting, and every processor computes the same result.
    private static Vector3 Linear(byte red, byte green, byte blue)
    {
        Vector3 colour = new Vector3(red, green, blue) / 255;
        return colour * colour;
    }

    private static byte Level(float light) => (byte)(255 * MathF.Sqrt(Math.Clamp(light, 0, 1)) + 0.5f);

    private static float Square(float x) => x * x;
}

using System.Numerics;

namespace MuseAtelier.Framing;

/// <summary>
/// The tiles of frames, drawn here by hand: 16 rows from the outer edge to the picture, and 16 columns along it. A drawing has the left
/// half, and the right half mirrors it, so that a row of tiles has no seam and fits the next side's row at the mitre. Light pixels are
/// high, dark pixels are deep. The PNG files in this folder show the tiles.
/// </summary>
internal static class FrameTile
{
    /// <summary>Rows and columns of a tile.</summary>
    public const int Side = 16;

    // Egg-and-dart in the hollow, where the red bole is visible; each tile has four pearls next to the picture.
    private static readonly string[] GildedDrawing =
    [
        "22222222",
        "66666666",
        "88888888",
        "55555555",
        "00000000",
        "10000146",
        "30001478",
        "51014679",
        "72036865",
        "74147854",
        "75246844",
        "64145854",
        "43223454",
        "11111111",
        "28822882",
        "39933993",
    ];

    // Ripples run along the outer half. The letters are levels of gold.
    private static readonly string[] EbonyDrawing =
    [
        "22222222",
        "44444444",
        "55555555",
        "33333333",
        "12456542",
        "24565421",
        "33333333",
        "44444444",
        "44444444",
        "44444444",
        "33333333",
        "22222222",
        "00000000",
        "cccccccc",
        "gggggggg",
        "dddddddd",
    ];

    // Lotus petals, one behind two others.
    private static readonly string[] CeladonDrawing =
    [
        "44444444",
        "66666666",
        "77777777",
        "66666666",
        "22222222",
        "15788886",
        "05788886",
        "05788886",
        "10688886",
        "31278897",
        "54106899",
        "66541058",
        "66665410",
        "22222222",
        "66666666",
        "77777777",
    ];

    // Levels from dark to light.
    private static readonly (byte, byte, byte)[] Gold =
    [
        (74, 30, 16), (104, 50, 22), (132, 78, 28), (158, 104, 36), (180, 128, 46),
        (198, 148, 58), (212, 166, 74), (224, 184, 94), (236, 202, 120), (246, 220, 150),
    ];

    private static readonly (byte, byte, byte)[] Ebony =
    [
        (12, 9, 9), (18, 14, 13), (25, 19, 17), (32, 25, 22), (39, 30, 26),
        (47, 36, 31), (55, 43, 36), (63, 50, 42), (72, 57, 48), (82, 65, 55),
    ];

    private static readonly (byte, byte, byte)[] Celadon =
    [
        (70, 104, 92), (88, 124, 110), (106, 142, 126), (123, 158, 142), (139, 173, 156),
        (153, 186, 169), (166, 197, 181), (178, 207, 192), (190, 216, 202), (202, 225, 212),
    ];

    /// <summary>Draws the tile of a style: [16, 16, 3] RGB, 8 bits a channel, sRGB.</summary>
    public static byte[] Draw(FrameStyle style)
    {
        (string[] drawing, (byte, byte, byte)[] ramp) = style switch
        {
            FrameStyle.Gilded => (GildedDrawing, Gold),
            FrameStyle.Ebony => (EbonyDrawing, Ebony),
            FrameStyle.Celadon => (CeladonDrawing, Celadon),
            _ => throw new ArgumentOutOfRangeException(nameof(style), style, null),
        };
        byte[] tile = new byte[Side * Side * 3];
        for (int y = 0; y < Side; y++)
        {
            for (int x = 0; x < Side; x++)
            {
                char level = drawing[y][Math.Min(x, Side - 1 - x)];
                (byte red, byte green, byte blue) = char.IsAsciiDigit(level) ? ramp[level - '0'] : Gold[level - 'a'];
                int at = (y * Side + x) * 3;
                tile[at] = red;
                tile[at + 1] = green;
                tile[at + 2] = blue;
            }
        }

        return tile;
    }
}

using MuseAtelier.Recipe;

namespace MuseAtelier.Residency;

/// <summary>The ranges of the values in a plan's request.</summary>
internal static class PlanRules
{
    // In latents. The decoder takes no smaller tile; the largest side of a tile is that of the largest picture.
    private const int SmallestTile = 32;
    private const int LargestTile = RequestRules.LargestSide / LatentGeometry.VaeScaleFactor;

    // Rows of a batch times latents of a row, up to which no fp16 tensor of the UNet takes more than 2 GiB: 16 rows of 2048x2048 px. The
    // largest tensor has 960 channels.
    private const int MostRowLatents = MostRows * 256 * 256;

    private const int MostPromptChunks = 64;
    private const int MostPromptParts = MostRows - 1;

    /// <summary>The most rows of a batch of pictures of up to 2048x2048 px.</summary>
    public const int MostRows = 2 * BatchSlot.LargestBatch;

    /// <summary>The most sets of prompts.</summary>
    public const int MostPromptSets = 64;

    /// <summary>The most rows of a batch, up to which the kernels' indices reach.</summary>
    /// <param name="width">Width of a picture in px.</param>
    /// <param name="height">Height of a picture in px.</param>
    public static int MostRowsOf(int width, int height)
    {
        const int pixelsOfALatent = LatentGeometry.VaeScaleFactor * LatentGeometry.VaeScaleFactor;
        return Math.Min(MostRows, MostRowLatents / (width * height / pixelsOfALatent));
    }

    /// <summary>Checks that every member of a plan's request is in range, except the number of pictures.</summary>
    /// <exception cref="ArgumentException">A budget, a mode or a tile is out of range.</exception>
    /// <exception cref="PictureRequestException">The pictures are out of range.</exception>
    public static void Check(ResidencyRequest request)
    {
        RequestRules.CheckSize(request.Width, request.Height);
        // A picture that is only encoded and decoded has no steps.
        if (!(request.EncodesSource && request.Steps == 0)) RequestRules.CheckSteps(request.Steps);
        RequestRules.CheckFrame(request.Frame);
        CheckRange(request.PromptChunks, 1, MostPromptChunks, nameof(request.PromptChunks));
        CheckRange(request.PromptParts, 1, MostPromptParts, nameof(request.PromptParts));
        CheckRange(request.PromptSets, 1, MostPromptSets, nameof(request.PromptSets));
        CheckRange(request.UnguidedSteps, 0, request.Steps, nameof(request.UnguidedSteps));
        CheckBytes(request.Budget, nameof(request.Budget));
        CheckBytes(request.PinnedBytes, nameof(request.PinnedBytes));
        CheckBytes(request.NoiseBytes, nameof(request.NoiseBytes));
        CheckBytes(request.MergedBytes, nameof(request.MergedBytes));
        CheckPlacement(request.Offload, request.VaeTiling, request.VaeTile);
    }

    /// <summary>Checks that modes are defined and that a tile has a legal size.</summary>
    /// <exception cref="ArgumentException">A mode or the tile is out of range.</exception>
    public static void CheckPlacement(OffloadMode offload, VaeTiling tiling, TileSize? vaeTile)
    {
        CheckChoice(offload, nameof(ResidencyRequest.Offload));
        CheckChoice(tiling, nameof(ResidencyRequest.VaeTiling));
        if (vaeTile is { } size && !(IsTile(size.Width) && IsTile(size.Height) && size.Width * size.Height <= TileChoices.LargestArea))
            throw new ArgumentOutOfRangeException(
                nameof(vaeTile), size,
                $"Tiles have {SmallestTile} to {LargestTile} latents a side, and at most {TileChoices.LargestArea} latents.");
    }

    /// <summary>Checks that an amount of memory is not negative.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public static void CheckBytes(long bytes, string name)
    {
        if (bytes < 0) throw new ArgumentOutOfRangeException(name, bytes, "Bytes are counted from 0.");
    }

    /// <summary>Checks that a value of an enumeration is defined.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not.</exception>
    public static void CheckChoice<T>(T value, string name) where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ArgumentOutOfRangeException(name, value, $"Choose one of {string.Join(", ", Enum.GetNames<T>())}.");
    }

    private static void CheckRange(int value, int least, int most, string name)
    {
        if (value < least || value > most) throw new ArgumentOutOfRangeException(name, value, $"{name} must be {least} to {most}.");
    }

    private static bool IsTile(int side) => side is >= SmallestTile and <= LargestTile;
}

using MuseAtelier.Packages;

namespace MuseAtelier;

/// <summary>The ranges of an atelier's options. They are checked before a model is opened or exported.</summary>
internal static class OptionRules
{
    // In latents. The decoder takes no smaller tile; the largest tile is the side of the largest picture.
    private const int SmallestTile = 32;
    private const int LargestTile = 256;

    private const int MostSeeds = 10_000;

    /// <summary>Checks that every option is in range. Only a plan can tell whether a budget is large enough.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static void Check(AtelierOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(options.Backend);
        if (options.CacheFolder is { } folder)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(folder, nameof(options.CacheFolder));
            if (folder.Contains('\0', StringComparison.Ordinal))
                throw new ArgumentException("The path of the cache holds a NUL character.", nameof(options));
        }

        if (options.Precisions is { } precisions)
        {
            CheckChoice(precisions.TextEncoders, nameof(precisions.TextEncoders));
            CheckChoice(precisions.UNet, nameof(precisions.UNet));
            CheckChoice(precisions.Vae, nameof(precisions.Vae));
        }

        CheckPlacement(options.Offload, options.VaeTiling, options.VaeTile);
    }

    /// <summary>Checks that every member of a plan's request is in range, except the number of pictures.</summary>
    /// <exception cref="ArgumentException">A budget, a mode or a tile is out of range.</exception>
    /// <exception cref="PictureRequestException">The pictures are out of range.</exception>
    public static void Check(ResidencyRequest request)
    {
        RequestRules.CheckSize(request.Width, request.Height);
        RequestRules.CheckSteps(request.Steps);
        RequestRules.CheckFrame(request.Frame);
        CheckBytes(request.Budget, nameof(request.Budget));
        CheckBytes(request.PinnedBytes, nameof(request.PinnedBytes));
        CheckPlacement(request.Offload, request.VaeTiling, request.VaeTile);
    }

    /// <summary>Checks that every member of a fidelity report's request is in range.</summary>
    /// <exception cref="ArgumentException">The number of seeds is out of range.</exception>
    /// <exception cref="PictureRequestException">The pictures are out of range.</exception>
    public static void Check(FidelityRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Seeds is < 1 or > MostSeeds)
            throw new ArgumentOutOfRangeException(nameof(request), request.Seeds, $"A report takes 1 to {MostSeeds} seeds.");
        RequestRules.CheckSize(request.Width, request.Height);
        RequestRules.CheckSteps(request.Steps);
    }

    private static void CheckPlacement(OffloadMode offload, VaeTiling tiling, TileSize? vaeTile)
    {
        CheckChoice(offload, nameof(AtelierOptions.Offload));
        CheckChoice(tiling, nameof(AtelierOptions.VaeTiling));
        if (vaeTile is { } size && !(IsTile(size.Width) && IsTile(size.Height)))
            throw new ArgumentOutOfRangeException(nameof(vaeTile), size, $"Tiles have {SmallestTile} to {LargestTile} latents a side.");
    }

    private static bool IsTile(int side) => side is >= SmallestTile and <= LargestTile;

    /// <summary>Checks that an amount of memory is not negative.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public static void CheckBytes(long bytes, string name)
    {
        if (bytes < 0) throw new ArgumentOutOfRangeException(name, bytes, "Bytes are counted from 0.");
    }

    private static void CheckChoice<T>(T value, string name) where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ArgumentOutOfRangeException(name, value, $"Choose one of {string.Join(", ", Enum.GetNames<T>())}.");
    }
}

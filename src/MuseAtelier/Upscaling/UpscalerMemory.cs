using MuseAtelier.Format;
using MuseAtelier.Residency;

namespace MuseAtelier.Upscaling;

/// <summary>The memory that an upscaler takes on a device, and the tiles that a budget allows.</summary>
internal static class UpscalerMemory
{
    private const int Channels = 3;

    // The peak of a run in parts of the numbers that the widest moment of the network holds. Measured on a processor, by tiles of 64 to
    // 256 px: 1.75 for RRDB, 1.45 for the compact network.
    private const double ArenaFactor = 1.75;

    /// <summary>Bytes that the sessions, a run's working memory and the tiles take.</summary>
    /// <param name="manifest">The upscaler's package.</param>
    /// <param name="profile">The costs of the device.</param>
    /// <param name="side">Side of a tile in px.</param>
    public static long Bytes(PackageManifest manifest, DeviceProfile profile, int side)
    {
        UpscalerSpec spec = manifest.Upscaler!;
        ComponentSpec component = manifest.Component(ComponentNames.Upscaler);
        long area = (long)side * side;
        long elementBytes = manifest.PartPrecisions.Vae.Arithmetic == Precision.Fp16 ? sizeof(ushort) : sizeof(float);
        long working = (long)(area * spec.WorkingElements * elementBytes * ArenaFactor);
        // A tile lies in the device's memory and in that of the host.
        long tiles = 2 * area * Channels * (1 + (long)spec.Scale * spec.Scale);
        return SessionWeights.Of(component, profile).MostBytes + working + tiles;
    }

    /// <summary>
    /// The tiles for the options. They depend on the declared budget, and not on the memory that happens to be free, so that the same
    /// options give the same bytes.
    /// </summary>
    /// <param name="manifest">The upscaler's package.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="UpscalerBudgetException">The declared budget is too small for the smallest tiles.</exception>
    public static UpscaleTiling Choose(PackageManifest manifest, AtelierOptions options)
    {
        UpscalerSpec spec = manifest.Upscaler!;
        int overlap = Math.Min(UpscaleTiling.UsualOverlap, RoundUp(spec.Reach));
        IReadOnlyList<int> sides = UpscaleTiling.Sides;
        if (options.DeclaredBudget is not { } budget) return new UpscaleTiling(sides[0], overlap);
        DeviceProfile profile = options.Backend.Profile;
        long room = budget.Bytes - profile.FixedBytes - profile.MarginBytes;
        foreach (int side in sides)
            if (Bytes(manifest, profile, side) <= room) return new UpscaleTiling(side, overlap);
        long least = Bytes(manifest, profile, sides[^1]) + profile.FixedBytes + profile.MarginBytes;
        throw new UpscalerBudgetException(manifest.Checkpoint.Name, budget.Bytes, least);
    }

    private static int RoundUp(int length)
    {
        const int multiple = UpscaleTiling.SideMultiple;
        return (length + multiple - 1) / multiple * multiple;
    }
}

namespace MuseAtelier.Export.Packaging;

/// <summary>The alignment of weights in the files of a package.</summary>
internal static class PackageAlignment
{
    // Device memory has the same alignment.
    private const long Weight = 256;

    // A page, so that each stage and each constant can be mapped and read by itself.
    private const long Stage = 4096;

    /// <summary>The next position at which a weight of a stage may begin.</summary>
    public static long OfWeight(long position) => Align(position, Weight);

    /// <summary>The next position at which the first weight of a stage, or any constant, may begin.</summary>
    public static long OfStage(long position) => Align(position, Stage);

    private static long Align(long position, long alignment) => (position + alignment - 1) & ~(alignment - 1);
}

namespace MuseAtelier.Checking;

/// <summary>The ranges of a fidelity report's request.</summary>
internal static class FidelityRules
{
    private const int MostSeeds = 10_000;

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
}

namespace MuseAtelier.Residency;

/// <summary>The plans by which pictures are painted.</summary>
/// <param name="First">The plan of the only pass, or of the first one.</param>
/// <param name="Second">The plan of the second pass; null if there is none.</param>
internal sealed record PassPlans(ResidencyPlan First, ResidencyPlan? Second)
{
    /// <summary>The memory of the larger pass in bytes.</summary>
    public long PeakBytes => Math.Max(First.PeakBytes, Second?.PeakBytes ?? 0);
}

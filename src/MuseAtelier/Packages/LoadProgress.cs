namespace MuseAtelier;

/// <summary>The progress of opening a model.</summary>
public readonly record struct LoadProgress
{
    internal LoadProgress(string phase, double fraction)
    {
        Phase = phase;
        Fraction = fraction;
    }

    /// <summary>The present work, in words.</summary>
    public string Phase { get; init; }

    /// <summary>The share of it that is done, 0 to 1.</summary>
    public double Fraction { get; init; }
}

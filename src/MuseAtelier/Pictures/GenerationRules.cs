using MuseAtelier.Residency;

namespace MuseAtelier.Pictures;

/// <summary>The ranges of the options of a call.</summary>
internal static class GenerationRules
{
    /// <summary>Checks the options of a call for a single picture.</summary>
    /// <exception cref="ArgumentException">An option is out of range, or a batch size is set.</exception>
    public static void CheckSingle(GenerationOptions options)
    {
        PlanRules.CheckChoice(options.Priority, nameof(options.Priority));
        if (options.BatchSize is not null)
        {
            throw new ArgumentException(
                "A single picture has a batch size. It may have a place in a batch: set Place instead of BatchSize.", nameof(options));
        }

        if (options.Place is { } place) RequestRules.Check(place);
    }

    /// <summary>Checks the options of a call for several pictures.</summary>
    /// <exception cref="ArgumentException">An option is out of range, or a place in a batch is set.</exception>
    public static void CheckSeries(GenerationOptions options)
    {
        PlanRules.CheckChoice(options.Priority, nameof(options.Priority));
        if (options.Place is not null)
        {
            throw new ArgumentException(
                "Several pictures have a place in a batch. They may have a batch size: set BatchSize instead of Place.", nameof(options));
        }

        if (options.BatchSize is not { } size) return;
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1, nameof(options.BatchSize));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, BatchSlot.LargestBatch, nameof(options.BatchSize));
    }
}

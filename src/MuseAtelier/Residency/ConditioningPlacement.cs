namespace MuseAtelier.Residency;

/// <summary>Where the weights of the components that run before the steps lie.</summary>
/// <param name="Choices">The choice of each component, in the order of the recipe.</param>
/// <param name="TextSeconds">Seconds of encoding the texts, once for all pictures.</param>
/// <param name="ConditioningSeconds">Seconds of computing keys, values and time embeddings, once per batch.</param>
/// <param name="Batches">Number of batches that all pictures take.</param>
internal sealed record ConditioningPlacement(
    IReadOnlyList<ComponentChoice> Choices, double TextSeconds, double ConditioningSeconds, int Batches)
{
    /// <summary>Bytes of weights that stay in device memory.</summary>
    public long ResidentBytes { get; } = Choices.Sum(choice => choice.ResidentBytes);

    /// <summary>Bytes of weights that are copied each time the components run.</summary>
    public long StreamedBytes { get; } = Choices.Sum(choice => choice.StreamedBytes);

    /// <summary>Bytes of pinned host memory.</summary>
    public long PinnedBytes { get; } = Choices.Sum(choice => choice.PinnedBytes);

    /// <summary>Bytes of the streaming buffer, which the components share.</summary>
    public long StreamingBufferBytes { get; } = Choices.Max(choice => choice.StreamingBufferBytes);

    private double Seconds => TextSeconds + Batches * ConditioningSeconds;

    /// <summary>Whether this placement is in no respect better than another one.</summary>
    public bool IsNoBetterThan(ConditioningPlacement other) =>
        ResidentBytes >= other.ResidentBytes
        && StreamingBufferBytes >= other.StreamingBufferBytes
        && StreamedBytes >= other.StreamedBytes
        && Seconds >= other.Seconds;
}

using MuseAtelier.Format;

namespace MuseAtelier.Export.Packaging;

/// <summary>The weights of a package that an overlay changes.</summary>
internal interface IChangedWeights
{
    /// <summary>Whether a weight is changed.</summary>
    bool IsChanged(WeightSpec weight);

    /// <summary>Makes the bytes of a changed weight.</summary>
    /// <param name="weight">The weight as the base's manifest states it.</param>
    /// <param name="component">The part of the model that it belongs to, for messages.</param>
    /// <param name="write">Receives <see cref="WeightSpec.Bytes"/> bytes.</param>
    /// <param name="cancellationToken">Cancels within one weight.</param>
    void Write(WeightSpec weight, string component, ByteSink write, CancellationToken cancellationToken);
}

/// <summary>Weights that follow from a checkpoint whose tensors are changed.</summary>
/// <param name="slices">The reader of the changed checkpoint.</param>
internal sealed class CheckpointChanges(SliceReader slices) : IChangedWeights
{
    private readonly WeightTransfer _transfer = new(slices);

    /// <inheritdoc/>
    public bool IsChanged(WeightSpec weight) => slices.IsChanged(weight);

    /// <inheritdoc/>
    public void Write(WeightSpec weight, string component, ByteSink write, CancellationToken cancellationToken) =>
        _transfer.Write(weight, component, write, cancellationToken);
}

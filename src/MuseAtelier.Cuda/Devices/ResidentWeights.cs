using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>Weights that stay in device memory. They are loaded once, and again where other LoRAs change them.</summary>
internal sealed class ResidentWeights : PlacedWeights
{
    private readonly WeightStore _store;
    private readonly WeightReader _reader;
    private readonly IReadOnlyList<WeightBlock> _blocks;

    /// <summary>Allocates the device memory.</summary>
    /// <param name="stages">The stages in the order in which they run; each has weights.</param>
    /// <param name="store">Holds the weights of all components; borrowed.</param>
    /// <param name="reader">Loads the weights; borrowed.</param>
    public ResidentWeights(IReadOnlyList<StageMemory> stages, WeightStore store, WeightReader reader)
        : base(stages)
    {
        (_store, _reader) = (store, reader);
        _blocks = store.Hold(stages);
    }

    public override Task Load(AppliedLoras? loras) => Task.WhenAll(_blocks.Select(block => block.Load(_reader, loras)));

    public override Task Switch(AppliedLoras? former, AppliedLoras? next, CancellationToken stopping) =>
        Task.WhenAll(_blocks.Select(block => block.Switch(_reader, next, stopping)));

    public override void Dispose() => _store.Release(_blocks);
}

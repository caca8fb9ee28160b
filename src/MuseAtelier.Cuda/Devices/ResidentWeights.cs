using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>Weights that stay in device memory. They lie in one block, which is filled once.</summary>
internal sealed class ResidentWeights : PlacedWeights
{
    private readonly WeightReader _reader;
    private readonly NativeBuffer _slab;

    /// <summary>Allocates the device memory.</summary>
    /// <param name="stages">The stages in the order in which they run; each has weights.</param>
    /// <param name="card">The card.</param>
    /// <param name="reader">Loads the weights; borrowed.</param>
    public ResidentWeights(IReadOnlyList<StageMemory> stages, CardResources card, WeightReader reader)
        : base(stages)
    {
        _reader = reader;
        _slab = DeviceMemory.Allocate(WeightSlab.Bytes(stages), card.Usage);
        WeightSlab.Place(stages, _slab.Address);
    }

    public override Task Load() => _reader.ToDevice(Stages);

    public override void Dispose() => _slab.Dispose();
}

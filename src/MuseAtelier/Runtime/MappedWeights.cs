using MuseAtelier.Packages;

namespace MuseAtelier.Runtime;

/// <summary>Weights that the device reads where their file is mapped: the package owns the mapping.</summary>
internal sealed class MappedWeights(ModelPackage package) : StageWeights
{
    public override long DeviceBytes => 0;

    public override nint Address(int stage, WeightSpec weight) => package.MappedWeight(weight);

    public override void Dispose() { }
}

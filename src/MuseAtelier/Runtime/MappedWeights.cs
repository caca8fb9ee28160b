using MuseAtelier.Format;

namespace MuseAtelier.Runtime;

/// <summary>Weights that the device reads directly from the mapped files of a package. The package owns the mapping.</summary>
/// <param name="package">The package; borrowed.</param>
internal sealed class MappedWeights(ModelPackage package) : StageWeights
{
    public override nint Address(int stage, WeightSpec weight) => package.MappedWeight(weight);

    public override void Dispose() { }
}

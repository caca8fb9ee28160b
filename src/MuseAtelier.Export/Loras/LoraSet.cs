using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// The changes that several LoRAs make together to the weights of a package. Knows which weights they touch, and computes
/// W + sum of strength * change in fp32. Thread-safe: weights are merged on several threads at once.
/// </summary>
internal sealed class LoraSet
{
    private LoraSet()
    {
    }

    /// <summary>Sentences for the user: names in the files that match no weight, with their number and examples.</summary>
    public IReadOnlyList<string> Notices { get; } = [];

    /// <summary>Bytes of host memory that the factors take while the set is in use.</summary>
    public long Bytes { get; }

    /// <summary>Matches the files' changes with the weights of a package. A strength of 0 touches nothing.</summary>
    /// <param name="manifest">The package that is changed.</param>
    /// <param name="uses">The files and their strengths, in the order in which they are added.</param>
    public static LoraSet Of(PackageManifest manifest, IReadOnlyList<LoraUse> uses) => throw new NotImplementedException();

    /// <summary>Whether a weight or constant of the package is changed.</summary>
    public bool Touches(WeightSpec weight) => throw new NotImplementedException();

    /// <summary>Computes a changed weight.</summary>
    /// <param name="weight">A weight that the set touches.</param>
    /// <param name="stored">The weight's bytes in the package: <see cref="WeightSpec.Bytes"/> bytes in its type and layout.</param>
    /// <param name="merged">Receives its values in fp32, in the weight's layout.</param>
    public void Merge(WeightSpec weight, ReadOnlySpan<byte> stored, Span<float> merged) => throw new NotImplementedException();

    /// <summary>Changes the bytes of a weight in place, rounded half to even to the weight's own type.</summary>
    /// <param name="weight">A weight that the set touches.</param>
    /// <param name="bytes">The weight's bytes in the package, which are replaced.</param>
    public void Merge(WeightSpec weight, Span<byte> bytes) => throw new NotImplementedException();
}

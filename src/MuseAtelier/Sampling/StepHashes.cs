using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace MuseAtelier.Sampling;

/// <summary>The digests of one picture's evaluations. Taking one allocates nothing.</summary>
/// <param name="evaluations">The number of evaluations that are run.</param>
internal sealed class StepHashes(int evaluations)
{
    private readonly StepHash[] _hashes = new StepHash[evaluations + 1];

    /// <summary>All of them, the start first.</summary>
    public IReadOnlyList<StepHash> All => _hashes;

    /// <summary>Takes the digests of the start or of an evaluation.</summary>
    /// <param name="index">0 for the start, then the number of the evaluation from 1.</param>
    /// <param name="noise">The noise that was drawn for it, fp32; empty if it draws none; borrowed.</param>
    /// <param name="latents">The latents after it, fp32; borrowed.</param>
    public void Take(int index, ReadOnlySpan<float> noise, ReadOnlySpan<float> latents) =>
        _hashes[index] = new StepHash(noise.IsEmpty ? null : Hash(noise), Hash(latents));

    private static ulong Hash(ReadOnlySpan<float> values) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(values));
}

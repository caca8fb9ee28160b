using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace MuseAtelier.Diffusion;

/// <summary>The digests of one picture's steps. Taken while it is painted, without allocating.</summary>
internal sealed class StepHashes(int steps)
{
    private readonly StepHash[] _hashes = new StepHash[steps + 1];

    /// <summary>All of them, the start first.</summary>
    public IReadOnlyList<StepHash> All => _hashes;

    /// <summary>Takes a step's digests.</summary>
    /// <param name="index">0 for the start, then the step's number from 1.</param>
    /// <param name="noise">The step's noise, fp32; empty where it adds none; borrowed.</param>
    /// <param name="latents">The latents after it, fp32; borrowed.</param>
    public void Take(int index, ReadOnlySpan<float> noise, ReadOnlySpan<float> latents) =>
        _hashes[index] = new StepHash(noise.IsEmpty ? null : Hash(noise), Hash(latents));

    private static ulong Hash(ReadOnlySpan<float> values) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(values));
}

using System.Numerics.Tensors;
using MuseAtelier.Sampling;

namespace MuseAtelier.Checking;

/// <summary>Noise that is read from a file, draw after draw.</summary>
/// <param name="values">The file; borrowed.</param>
/// <param name="name">The tensor's name: [draws, ...] fp32.</param>
internal sealed class RecordedNoise(ReferenceValues values, string name) : INoiseGenerator
{
    private long _next;

    /// <inheritdoc/>
    public void Fill(Span<float> destination)
    {
        values.Read(name, _next, destination);
        _next += destination.Length;
    }
}

/// <summary>The noise from which the initial latents in a file were made.</summary>
/// <param name="values">The file; borrowed.</param>
/// <param name="name">The tensor's name: the latents, fp32, which are the noise times the scale.</param>
/// <param name="scale">The factor of the noise.</param>
internal sealed class RecordedStart(ReferenceValues values, string name, float scale) : INoiseGenerator
{
    /// <inheritdoc/>
    public void Fill(Span<float> destination)
    {
        values.Read(name, 0, destination);
        TensorPrimitives.Divide(destination, scale, destination);
    }
}

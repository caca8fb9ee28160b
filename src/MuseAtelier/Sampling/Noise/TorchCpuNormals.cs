namespace MuseAtelier.Sampling;

/// <summary>The numbers of <see cref="TorchCpuNoise"/> for a seed, as torchsde draws them on the CPU.</summary>
internal sealed class TorchCpuNormals : ISeededNoiseGenerator
{
    private TorchCpuNormals()
    {
    }

    public static TorchCpuNormals Instance { get; } = new();

    /// <inheritdoc/>
    public void Fill(uint seed, Span<float> destination) => TorchCpuNoise.Fill(seed, destination);
}

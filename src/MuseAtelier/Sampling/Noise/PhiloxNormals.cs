namespace MuseAtelier.Sampling;

/// <summary>
/// The numbers of <see cref="PhiloxNoise"/> for a seed, which AUTOMATIC1111 puts in place of torchsde's generator
/// (modules/sd_samplers_common.py, replace_torchsde_browinan).
/// </summary>
internal sealed class PhiloxNormals : ISeededNoiseGenerator
{
    private PhiloxNormals()
    {
    }

    public static PhiloxNormals Instance { get; } = new();

    /// <inheritdoc/>
    public void Fill(uint seed, Span<float> destination) => PhiloxNoise.Fill(seed, 0, destination);
}

namespace MuseAtelier.Diffusion;

/// <summary>A stream of standard normal numbers. Each call goes on where the last one ended.</summary>
internal interface INoiseSource
{
    /// <summary>Draws as many numbers as fit, as one draw of the imitated generator: two halves are not the same as a whole.</summary>
    /// <param name="destination">Receives the numbers, fp32; borrowed.</param>
    void Fill(Span<float> destination);
}

namespace MuseAtelier;

/// <summary>The program whose random numbers a seed starts, so that a seed from that program gives the same picture here.</summary>
public enum NoiseSource
{
    /// <summary>
    /// diffusers, as its documentation shows: PyTorch's CPU generator (Mersenne Twister) for the start, then the same stream for every
    /// step. Takes the seed's low 32 bits.
    /// </summary>
    Diffusers,

    /// <summary>AUTOMATIC1111 on an NVIDIA card: CUDA's generator (Philox) for the start, then the same stream for every step.</summary>
    A1111,

    /// <summary>
    /// ComfyUI on an NVIDIA card: PyTorch's CPU generator for the start, CUDA's generator with the same seed for the steps.
    /// </summary>
    Comfy,
}

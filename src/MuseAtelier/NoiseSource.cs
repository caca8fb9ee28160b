namespace MuseAtelier;

/// <summary>Whose random numbers a seed starts, so that a seed known from elsewhere paints the same picture here.</summary>
public enum NoiseSource
{
    /// <summary>PyTorch's CPU generator (Mersenne Twister) for the start and, going on, for every step: diffusers' documented way. Takes the seed's low 32 bits.</summary>
    Diffusers,

    /// <summary>CUDA's generator (Philox) for the start and, going on, for every step: AUTOMATIC1111 on an NVIDIA card.</summary>
    A1111,

    /// <summary>PyTorch's CPU generator for the start, CUDA's with the same seed for the steps: ComfyUI on an NVIDIA card.</summary>
    Comfy,
}

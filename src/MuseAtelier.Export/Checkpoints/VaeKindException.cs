using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier;

/// <summary>A file that is given as a VAE holds none, or the VAE of another kind of model.</summary>
public sealed class VaeKindException : CheckpointException
{
    internal VaeKindException(string path, string found)
        : base(
            path,
            $"{path} {found}",
            "a VAE of SDXL, whose latents have 4 channels: a .safetensors file with decoder and encoder",
            "Take an SDXL VAE, such as sdxl_vae.safetensors, or leave --vae out: the model has a VAE of its own.")
    {
    }
}

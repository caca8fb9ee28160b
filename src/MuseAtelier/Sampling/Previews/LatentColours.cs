using MuseAtelier.Format;

namespace MuseAtelier.Sampling;

/// <summary>The linear map from the four channels of a VAE's latents to colours.</summary>
internal sealed class LatentColours
{
    private const int MiniatureWidth = 64;

    private LatentColours(params float[] factors) => Factors = factors;

    /// <summary>
    /// The map of SDXL's VAE. SDXL's latents are nearly linear in colour: the first channel is lightness, the second cyan against red, the
    /// third green against violet, the fourth structure. The factors are those fitted by T. A. Vass ("Explaining the SDXL latent space",
    /// 2024).
    /// </summary>
    public static LatentColours Sdxl { get; } = new(
        60, -60, 25, -70, 150,
        60, -5, 15, -50, 140,
        60, 10, -5, -35, 130);

    /// <summary>The map of the Miniature's VAE, fitted by least squares to the latents and colours of seven of its pictures.</summary>
    public static LatentColours Miniature { get; } = new(
        40.3f, 11.6f, -4.4f, -9.3f, 132.9f,
        9.4f, 29, 11.4f, -8.5f, 115.8f,
        -5.6f, 9.4f, 42.2f, -6.9f, 110.2f);

    /// <summary>Rows are red, green and blue in 8-bit units; columns the four channels and the offset.</summary>
    public float[] Factors { get; }

    /// <summary>The map of a model's VAE: the Miniature's, which is known by its narrow text encoder, or else SDXL's.</summary>
    public static LatentColours Of(ModelSpec model) => model.ClipLWidth == MiniatureWidth ? Miniature : Sdxl;
}

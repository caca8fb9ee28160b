namespace MuseAtelier.Diffusion;

/// <summary>Latents as a rough picture: a linear map from four channels to three colours, fitted by SDXL's users. Paints into one buffer.</summary>
internal sealed class LatentPreviewer
{
    // Rows: the latent's channels; columns: red, green, blue, in units of 1/2 of the full range per unit of latent.
    private static readonly float[] Factors = [0.3651f, 0.4232f, 0.4341f, -0.2533f, -0.0042f, 0.1068f, 0.1076f, 0.1111f, -0.0362f, -0.3165f, -0.2492f, -0.2188f];
    private static readonly float[] Offsets = [0.1084f, -0.0175f, -0.0011f];
    private readonly byte[] _pixels;
    private readonly LatentPreview _preview;

    public LatentPreviewer(int height, int width)
    {
        _pixels = new byte[height * width * 3];
        _preview = new LatentPreview(width, height, _pixels);
    }

    /// <summary>Paints latents [4, h, w]; the same preview object each time.</summary>
    public LatentPreview Paint(ReadOnlySpan<float> latents)
    {
        int plane = _pixels.Length / 3;
        for (int i = 0; i < plane; i++)
        {
            for (int colour = 0; colour < 3; colour++)
            {
                float value = Offsets[colour];
                for (int channel = 0; channel < 4; channel++) value += latents[channel * plane + i] * Factors[channel * 3 + colour];
                _pixels[3 * i + colour] = (byte)Math.Clamp((value + 1) * 127.5f, 0, 255);
            }
        }

        return _preview;
    }
}

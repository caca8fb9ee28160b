namespace MuseAtelier;

/// <summary>Whether the VAE decodes in tiles. An existing picture is encoded in the same tiles.</summary>
public enum VaeTiling
{
    /// <summary>Decodes in one piece if the memory allows it, else in tiles.</summary>
    Auto,

    /// <summary>Always decodes in one piece; a picture of more than 2048x2048 px in tiles of that size.</summary>
    Whole,

    /// <summary>
    /// Always decodes in tiles, which overlap and blend linearly. A tile has 64x64 latents (512x512 px), or
    /// <see cref="AtelierOptions.VaeTile"/>.
    /// </summary>
    Tiled,
}

namespace MuseAtelier;

/// <summary>
/// The size of the tiles that the VAE decodes and encodes, in latents (one latent is 8 px of the picture a side); at most 65,536 latents.
/// </summary>
public readonly record struct TileSize
{
    /// <summary>Creates a size. Opening an atelier checks its range.</summary>
    /// <param name="height">Height, 32 to 512 latents.</param>
    /// <param name="width">Width, 32 to 512 latents.</param>
    public TileSize(int height, int width)
    {
        Height = height;
        Width = width;
    }

    /// <summary>Height, 32 to 512 latents.</summary>
    public int Height { get; init; }

    /// <summary>Width, 32 to 512 latents.</summary>
    public int Width { get; init; }
}

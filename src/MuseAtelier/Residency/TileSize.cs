namespace MuseAtelier;

/// <summary>The size of the tiles that the VAE decodes, in latents (one latent is 8 px of the picture a side).</summary>
/// <param name="Height">Height, 32 to 256 latents.</param>
/// <param name="Width">Width, 32 to 256 latents.</param>
public readonly record struct TileSize(int Height, int Width);

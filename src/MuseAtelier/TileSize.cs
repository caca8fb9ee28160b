namespace MuseAtelier;

/// <summary>The size of the tiles that the VAE decodes, in latents (8 px of the picture a side).</summary>
/// <param name="Height">Height, at least 32.</param>
/// <param name="Width">Width, at least 32.</param>
public readonly record struct TileSize(int Height, int Width);

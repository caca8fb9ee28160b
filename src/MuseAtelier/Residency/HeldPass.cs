namespace MuseAtelier.Residency;

/// <summary>What a pass of pictures holds in device memory while the other pass of the same pictures is painted.</summary>
/// <param name="Batch">The memory of its batch.</param>
/// <param name="CapturedSteps">The number of its captured steps.</param>
/// <param name="Tiles">How it decodes; null if its latents are never decoded.</param>
/// <param name="Encodes">Whether it encodes an existing picture.</param>
internal sealed record HeldPass(BatchMemory Batch, int CapturedSteps, TileChoice? Tiles, bool Encodes);

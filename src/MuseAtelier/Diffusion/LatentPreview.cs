namespace MuseAtelier;

/// <summary>
/// A rough picture of the latents by a fixed linear map of their four channels. Each side is an eighth of the picture's. The pictures of
/// a batch lie in one grid, row by row from the top left.
/// </summary>
/// <param name="Width">Width of the whole grid in px.</param>
/// <param name="Height">Height of the whole grid in px.</param>
/// <param name="Pixels">
/// [Height, Width, 3] interleaved RGB, 8 bits a channel. Valid only during the report, because the next step overwrites it.
/// </param>
/// <param name="Columns">Pictures in a row of the grid.</param>
public sealed record LatentPreview(int Width, int Height, ReadOnlyMemory<byte> Pixels, int Columns = 1);

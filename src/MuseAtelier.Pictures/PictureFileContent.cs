namespace MuseAtelier.Pictures;

/// <summary>What a picture's file says of itself.</summary>
/// <param name="Format">The file's format.</param>
/// <param name="Width">Width in px.</param>
/// <param name="Height">Height in px.</param>
public sealed record PictureFileContent(PictureFormat Format, int Width, int Height)
{
    /// <summary>AUTOMATIC1111's text of how the picture was made; null when the file has none.</summary>
    public string? Parameters { get; init; }
}

namespace MuseAtelier.Pictures;

/// <summary>The options for reading a source or a mask.</summary>
public sealed record SourceFileOptions
{
    /// <summary>
    /// The name of the file, without its folder, for <see cref="SourceImage.Name"/>; null means the path's name, and none for a stream.
    /// </summary>
    public string? Name { get; init; }
}

namespace MuseAtelier.Pictures;

/// <summary>The options for writing a picture to a file.</summary>
public sealed record PictureFileOptions : PictureEncodingOptions
{
    /// <summary>
    /// Whether an existing file may be replaced. A symbolic link stays, and its target is replaced; the permissions stay the same.
    /// </summary>
    public bool Overwrite { get; init; }

    /// <summary>
    /// Whether the picture is written under a free name in the same folder if its own name has become unavailable since it was checked:
    /// another program created a file of that name or has it open. <see cref="WrittenPicture"/> has the new name. If false, an exception
    /// is thrown instead.
    /// </summary>
    public bool UnderFreeName { get; init; }
}

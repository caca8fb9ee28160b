namespace MuseAtelier.Pictures;

/// <summary>The metadata with which a picture's file describes how it was made.</summary>
public enum MetadataLevel
{
    /// <summary>
    /// The metadata of <see cref="Parameters"/>, and the record from which the picture can be verified and painted again.
    /// </summary>
    Full,

    /// <summary>AUTOMATIC1111's text (PNG text and EXIF comment), and the metadata of <see cref="Origin"/>.</summary>
    Parameters,

    /// <summary>The program, and the statement that a trained model made the picture (XMP); neither prompt nor seed.</summary>
    Origin,

    /// <summary>Nothing.</summary>
    None,
}

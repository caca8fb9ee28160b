namespace MuseAtelier.Pictures;

/// <summary>What a picture's file says of its making.</summary>
public enum MetadataLevel
{
    /// <summary>Everything: the <see cref="Parameters"/> level, and the record from which the picture can be verified and painted again.</summary>
    Full,

    /// <summary>AUTOMATIC1111's text (PNG text and EXIF comment), and what the <see cref="Origin"/> level says.</summary>
    Parameters,

    /// <summary>That a trained model made it, and with which program (XMP); neither prompt nor seed.</summary>
    Origin,

    /// <summary>Nothing.</summary>
    None,
}

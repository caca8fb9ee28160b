using static System.FormattableString;

namespace MuseAtelier.Pictures;

/// <summary>The picture has no record.</summary>
public sealed class PictureRecordMissingException : PictureFileException
{
    internal PictureRecordMissingException(string path)
        : base(
            path,
            $"{path} has no record",
            "a picture that MuseAtelier wrote with its full metadata",
            "Give the original file: other programs, and sites that show pictures, often drop metadata that they do not know.")
    {
    }
}

/// <summary>The picture's record has a version that cannot be read.</summary>
public sealed class PictureRecordVersionException : PictureFileException
{
    internal PictureRecordVersionException(string path, int version)
        : base(
            path,
            Invariant($"the record in {path} has version {version}"),
            Invariant($"a version from {PictureRecord.OldestVersion} to {PictureRecord.CurrentVersion}"),
            "Use the version of MuseAtelier that wrote it.") => Version = version;

    /// <summary>The version that the record states.</summary>
    public int Version { get; }
}

/// <summary>The picture's record cannot be read.</summary>
public sealed class PictureRecordDamagedException : PictureFileException
{
    internal PictureRecordDamagedException(string path, string found, Exception? inner = null)
        : base(
            path,
            $"the record in {path} is damaged: {found.TrimEnd('.')}",
            "the record as it was written",
            "Give the original file.",
            inner)
    {
    }
}

/// <summary>A picture's metadata is too large for the format in which it should be written.</summary>
public sealed class PictureMetadataTooLargeException : PictureFileException
{
    internal PictureMetadataTooLargeException(string path, string part, int bytes, int room)
        : base(
            path,
            Invariant($"the {part} of {path} takes {bytes:N0} bytes"),
            Invariant($"at most {room:N0} bytes, the limit of JPEG"),
            "Write PNG, WebP or AVIF, or less metadata.") => (Bytes, Room) = (bytes, room);

    /// <summary>Bytes that the metadata takes.</summary>
    public int Bytes { get; }

    /// <summary>The most bytes that the format allows.</summary>
    public int Room { get; }
}

/// <summary>A text about how a picture was made does not have AUTOMATIC1111's form.</summary>
public sealed class ParametersTextException : PictureFileException
{
    internal ParametersTextException(string path, string found)
        : base(
            path,
            $"the parameters in {path} cannot be read: {found}",
            "prompt, negative prompt and a line that begins with 'Steps: '",
            "Give a picture with AUTOMATIC1111's own text, or a record of MuseAtelier.")
    {
    }
}

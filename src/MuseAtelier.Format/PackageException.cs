using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>An exported package that cannot be used as it is.</summary>
public abstract class PackageException : MuseAtelierException
{
    private protected PackageException(string package, string found, string expected, string remedy, Exception? inner = null)
        : base(found, expected, remedy, inner) => Package = package;

    /// <summary>Path of the package's folder.</summary>
    public string Package { get; }
}

/// <summary>The folder holds no manifest, or one that is not JSON of the expected form.</summary>
public sealed class PackageManifestException : PackageException
{
    internal PackageManifestException(string package, string found, Exception? inner = null)
        : base(package, found, $"a readable {PackageManifest.FileName}", "Export the checkpoint again.", inner)
    {
    }
}

/// <summary>The package was written in a format that this version does not read.</summary>
public sealed class PackageFormatVersionException : PackageException
{
    internal PackageFormatVersionException(string package, int version)
        : base(
            package,
            $"{package} has package format {version}",
            $"format {PackageManifest.CurrentFormatVersion}",
            "Export the checkpoint again with this version, or open the checkpoint itself, which is exported anew.") =>
            FormatVersion = version;

    /// <summary>The format version that the manifest states.</summary>
    public int FormatVersion { get; }
}

/// <summary>The package that an overlay changes is not there, or it is not the package that the overlay was made for.</summary>
public sealed class PackageBaseException : PackageException
{
    internal PackageBaseException(string package, string basePackage, string found, Exception? inner = null)
        : base(
            package,
            $"{package} is an overlay on {basePackage}, but {found}",
            "the package that the overlay was made for, beside the overlay",
            "Put that package there, or make the overlay anew from the package that is there.",
            inner) =>
            BasePackage = basePackage;

    /// <summary>Path of the folder in which the base was expected.</summary>
    public string BasePackage { get; }
}

/// <summary>A file that the manifest names is not there.</summary>
public sealed class PackageFileMissingException : PackageException
{
    internal PackageFileMissingException(string package, string file)
        : base(package, $"{file} is missing from {package}", "every file that the manifest names", "Export the checkpoint again.") =>
            File = file;

    /// <summary>Name of the missing file within the package.</summary>
    public string File { get; }
}

/// <summary>A file has another size or digest than the manifest states.</summary>
public sealed class PackageFileDamagedException : PackageException
{
    internal PackageFileDamagedException(string package, string file, string found, string expected)
        : base(package, $"{file} in {package} is damaged: {found}", expected, "Export the checkpoint again.") => File = file;

    /// <summary>Name of the damaged file within the package.</summary>
    public string File { get; }
}

/// <summary>The system refuses to read the package.</summary>
public sealed class PackageUnreadableException : PackageException
{
    internal PackageUnreadableException(string package, Exception inner)
        : this(package, $"{package} cannot be read ({inner.Message.TrimEnd('.')})", "a package that this user may read",
            "Check the rights of its files and the disk.", inner)
    {
    }

    internal PackageUnreadableException(string package, string found, string expected, string remedy, Exception inner)
        : base(package, found, expected, remedy, inner)
    {
    }
}

namespace MuseAtelier.Format;

/// <summary>An exported package that cannot be used as it is.</summary>
public abstract class PackageException(string package, string found, string expected, string remedy, Exception? inner = null)
    : MuseAtelierException(found, expected, remedy, inner)
{
    /// <summary>Path of the package's folder.</summary>
    public string Package { get; } = package;
}

/// <summary>The folder holds no manifest, or one that is not JSON of the expected form.</summary>
public sealed class PackageManifestException(string package, string found, Exception? inner = null)
    : PackageException(package, found, $"a readable {PackageManifest.FileName}", "Export the checkpoint again.", inner);

/// <summary>The package was written in a format that this version does not read.</summary>
public sealed class PackageFormatVersionException(string package, int version)
    : PackageException(
        package,
        $"{package} has package format {version}",
        $"format {PackageManifest.CurrentFormatVersion}",
        "Export the checkpoint again with this version, or open the checkpoint itself, which is exported anew.")
{
    /// <summary>The format version that the manifest states.</summary>
    public int FormatVersion { get; } = version;
}

/// <summary>The package that an overlay changes is not there, or it is not the package that the overlay was made for.</summary>
public sealed class PackageBaseException(string package, string basePackage, string found, Exception? inner = null)
    : PackageException(
        package,
        $"{package} is an overlay on {basePackage}, but {found}",
        "the package that the overlay was made for, beside the overlay",
        "Put that package there, or make the overlay anew from the package that is there.",
        inner)
{
    /// <summary>Path of the folder in which the base was expected.</summary>
    public string BasePackage { get; } = basePackage;
}

/// <summary>A file that the manifest names is not there.</summary>
public sealed class PackageFileMissingException(string package, string file)
    : PackageException(package, $"{file} is missing from {package}", "every file that the manifest names", "Export the checkpoint again.")
{
    /// <summary>Name of the missing file within the package.</summary>
    public string File { get; } = file;
}

/// <summary>A file has another size or digest than the manifest states.</summary>
public sealed class PackageFileDamagedException(string package, string file, string found, string expected)
    : PackageException(package, $"{file} in {package} is damaged: {found}", expected, "Export the checkpoint again.")
{
    /// <summary>Name of the damaged file within the package.</summary>
    public string File { get; } = file;
}

/// <summary>The system refuses to read the package.</summary>
public sealed class PackageUnreadableException : PackageException
{
    /// <summary>Creates the exception with the system's reason.</summary>
    public PackageUnreadableException(string package, Exception inner)
        : this(package, $"{package} cannot be read ({inner.Message.TrimEnd('.')})", "a package that this user may read",
            "Check the rights of its files and the disk.", inner)
    {
    }

    /// <summary>Creates the exception with a specific remedy.</summary>
    public PackageUnreadableException(string package, string found, string expected, string remedy, Exception inner)
        : base(package, found, expected, remedy, inner)
    {
    }
}

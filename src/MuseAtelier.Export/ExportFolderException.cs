using MuseAtelier.Packages;

namespace MuseAtelier.Export;

/// <summary>The folder that a package should go to cannot be written, has no space, or holds something that is not a package.</summary>
public sealed class ExportFolderException : MuseAtelierException
{
    private const int DiskFullHResult = unchecked((int)0x80070070);
    private const int LinuxNoSpace = 28;

    private ExportFolderException(string folder, string found, string expected, string remedy, Exception? inner = null)
        : base(found, expected, remedy, inner) => Folder = folder;

    /// <summary>Creates the failure from what the system said.</summary>
    public ExportFolderException(string folder, Exception inner)
        : this(
            folder,
            IsDiskFull(inner) ? $"no space is left for {folder}" : $"{folder} cannot be written ({inner.Message})",
            "a folder on a disk with room for the package (about the checkpoint's size)",
            "Free some space or choose another folder; nothing half-written was left behind.",
            inner)
    {
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    internal static void ThrowIfOccupied(string folder)
    {
        bool occupied = File.Exists(folder) || (Directory.Exists(folder) && !File.Exists(Path.Combine(folder, PackageManifest.FileName)) && Directory.EnumerateFileSystemEntries(folder).Any());
        if (occupied) throw new ExportFolderException(folder, $"{folder} holds something that is not a package", "a new folder, an empty one or an older package", "Choose another folder.");
    }

    private static bool IsDiskFull(Exception exception) => exception.HResult is DiskFullHResult or LinuxNoSpace;
}

using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>
/// The folder for a package cannot be written, has no space, holds a package in use, or holds something that is not a package.
/// </summary>
public sealed class ExportFolderException : MuseAtelierException
{
    private const int DiskFullHResult = unchecked((int)0x80070070);
    private const int UnixNoSpace = 28;

    private ExportFolderException(string folder, string found, string expected, string remedy, Exception? inner = null)
        : base(found, expected, remedy, inner) => Folder = folder;

    internal ExportFolderException(string folder, Exception inner)
        : this(folder, inner, OpenFileLimit.IsReached(inner))
    {
    }

    private ExportFolderException(string folder, Exception inner, bool isOutOfFiles)
        : this(
            folder,
            isOutOfFiles ? OpenFileLimit.Found : Describe(folder, inner),
            isOutOfFiles ? OpenFileLimit.Expected : "a folder on a disk with room for the package (about the checkpoint's size)",
            isOutOfFiles ? OpenFileLimit.Remedy : "Free some space or choose another folder; nothing half-written was left behind.",
            inner)
    {
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    internal static void ThrowIfOccupied(string folder)
    {
        if (File.Exists(folder) || HoldsOtherThings(folder))
        {
            throw new ExportFolderException(
                folder,
                $"{folder} holds something that is not a package",
                "a new folder, an empty one or an older package",
                "Choose another folder.");
        }

        if (PackageUse.IsInUse(folder))
        {
            throw new ExportFolderException(
                folder,
                $"{folder} holds a package that a program has open",
                "a package that nothing uses",
                "Close what paints with it (muse, or a program with an open atelier), or choose another folder.");
        }
    }

    internal static void ThrowIfNotBeside(string folder, string basePackage)
    {
        if (folder != basePackage && Path.GetDirectoryName(folder) == Path.GetDirectoryName(basePackage)) return;
        throw new ExportFolderException(
            folder,
            $"{folder} does not lie beside {basePackage}",
            $"another folder in {Path.GetDirectoryName(basePackage)}, where the overlay finds its base",
            "Choose a folder there.");
    }

    private static bool HoldsOtherThings(string folder) =>
        Directory.Exists(folder)
        && !File.Exists(Path.Combine(folder, PackageManifest.FileName))
        && Directory.EnumerateFileSystemEntries(folder).Any();

    private static string Describe(string folder, Exception inner) =>
        IsDiskFull(inner) ? $"no space is left for {folder}" : $"{folder} cannot be written ({inner.Message.TrimEnd('.')})";

    private static bool IsDiskFull(Exception exception) => exception.HResult is DiskFullHResult or UnixNoSpace;
}

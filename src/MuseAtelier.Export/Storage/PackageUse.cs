using MuseAtelier.Format;

namespace MuseAtelier.Export.Storage;

/// <summary>Tells whether a package is in use. Each user, in any process, holds the manifest open for shared reading.</summary>
internal static class PackageUse
{
    private const int Attempts = 40;

    // A check holds the manifest for a moment, so another check that meets it must look again.
    private const int Checks = 5;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Holds a package open until the result is disposed. The manifest must exist.</summary>
    /// <exception cref="IOException">The manifest cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The manifest may not be read.</exception>
    public static FileStream Hold(string folder)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(Path.Combine(folder, PackageManifest.FileName), FileMode.Open, FileAccess.Read, FileShare.Read,
                    bufferSize: 1);
            }
            catch (IOException exception) when (attempt < Attempts && FileLock.IsHeld(exception))
            {
                // Another process is checking whether the package is in use, and holds the manifest for that moment.
                Thread.Sleep(Pause);
            }
        }
    }

    /// <summary>Whether a process holds the package open, including this one. False if the system cannot tell.</summary>
    public static bool IsInUse(string folder)
    {
        try
        {
            for (int check = 1; ; check++)
            {
                using FileStream? alone = TryClaim(folder);
                if (alone is not null || !File.Exists(Path.Combine(folder, PackageManifest.FileName))) return false;
                if (check == Checks) return true;
                Thread.Sleep(Pause);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// Claims a package exclusively, so that no process can begin to use it. Returns null if it is in use or has no manifest.
    /// </summary>
    public static FileStream? TryClaim(string folder)
    {
        try
        {
            return new FileStream(Path.Combine(folder, PackageManifest.FileName), FileMode.Open, FileAccess.Read, FileShare.None,
                bufferSize: 1);
        }
        catch (Exception exception) when (
            exception is FileNotFoundException or DirectoryNotFoundException || exception is IOException failure
            && FileLock.IsHeld(failure))
        {
            return null;
        }
    }
}

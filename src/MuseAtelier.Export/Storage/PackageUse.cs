using MuseAtelier.Packages;

namespace MuseAtelier.Export.Storage;

/// <summary>Tells whether a package is in use. Whoever uses one holds its manifest open for shared reading, in any process.</summary>
internal static class PackageUse
{
    private const int Attempts = 40;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Holds a package open until the result is disposed; its manifest must be there.</summary>
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
                // Another process is asking, at this moment, whether the package is in use.
                Thread.Sleep(Pause);
            }
        }
    }

    /// <summary>Whether somebody holds the package open, this process included. False where the system cannot tell.</summary>
    public static bool IsInUse(string folder)
    {
        try
        {
            using FileStream? alone = TryClaim(folder);
            return alone is null && File.Exists(Path.Combine(folder, PackageManifest.FileName));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// Claims a package for oneself alone, so that nobody can begin to use it; null where somebody uses it or it has no manifest.
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

namespace MuseAtelier.Export.Storage;

/// <summary>
/// Renames files and folders. On Windows scanners open new files, and a rename is refused while they read, so it is retried for some
/// seconds.
/// </summary>
internal static class PatientMove
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Renames a folder.</summary>
    public static void Folder(string from, string to) => Try(() => Directory.Move(from, to), OperatingSystem.IsWindows(), Thread.Sleep);

    /// <summary>Renames a file, and replaces an existing one.</summary>
    public static void File(string from, string to) =>
        Try(() => System.IO.File.Move(from, to, overwrite: true), OperatingSystem.IsWindows(), Thread.Sleep);

    /// <summary>Tries once, or repeatedly until the pauses have grown to two seconds.</summary>
    /// <param name="move">The rename.</param>
    /// <param name="again">Whether to retry.</param>
    /// <param name="pause">Waits for the given time.</param>
    internal static void Try(Action move, bool again, Action<TimeSpan> pause)
    {
        for (TimeSpan next = FirstPause; ; next *= 2)
        {
            try
            {
                move();
                return;
            }
            catch (Exception exception) when (
                again && next <= LongestPause
                && exception is IOException and not FileNotFoundException and not DirectoryNotFoundException or UnauthorizedAccessException)
            {
                pause(next);
            }
        }
    }
}

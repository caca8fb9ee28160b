namespace MuseAtelier.Export.Storage;

/// <summary>
/// Gives what is written into a shared folder the rights of that folder, whatever the writer's umask is. The group comes by itself where
/// the
/// folder has the setgid bit.
/// </summary>
internal static class SharedRights
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Writable = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const UnixFileMode OfOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Gives a folder and all that is in it the rights of another folder.</summary>
    /// <param name="folder">What was written.</param>
    /// <param name="shared">The folder that it is shared in.</param>
    public static void Apply(string folder, string shared)
    {
        if (OperatingSystem.IsWindows()) return;
        UnixFileMode mode = Of(File.GetUnixFileMode(shared));
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories)) File.SetUnixFileMode(
            file, mode & (Readable | Writable));
        foreach (string inner in Directory.GetDirectories(folder, "*", SearchOption.AllDirectories)) File.SetUnixFileMode(inner, mode);
        File.SetUnixFileMode(folder, mode);
    }

    /// <summary>Gives one file the rights of a folder, where it is this user's.</summary>
    public static void TryApplyToFile(string file, string shared)
    {
        if (OperatingSystem.IsWindows()) return;
        try
        {
            File.SetUnixFileMode(file, Of(File.GetUnixFileMode(shared)) & (Readable | Writable));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another user's file, or a file system without rights.
        }
    }

    // In a folder with the sticky bit users do not change what others wrote there; so they may not in what lies below it.
    private static UnixFileMode Of(UnixFileMode shared)
    {
        UnixFileMode mode = shared & (Readable | Writable | Executable | UnixFileMode.SetGroup) | OfOwner;
        return shared.HasFlag(UnixFileMode.StickyBit) ? mode & ~(UnixFileMode.GroupWrite | UnixFileMode.OtherWrite) : mode;
    }
}

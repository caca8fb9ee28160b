namespace MuseAtelier.Export.Storage;

/// <summary>
/// Gives files and folders in a shared folder the rights of that folder, whatever the writer's umask is. The system sets the group if the
/// folder has the setgid bit.
/// </summary>
internal static class SharedRights
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Writable = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const UnixFileMode OfOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Gives a folder and all of its content the rights of another folder.</summary>
    /// <param name="folder">The folder that was written.</param>
    /// <param name="shared">The shared folder that contains it.</param>
    public static void Apply(string folder, string shared)
    {
        if (OperatingSystem.IsWindows()) return;
        UnixFileMode mode = Of(File.GetUnixFileMode(shared));
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories)) File.SetUnixFileMode(
            file, mode & (Readable | Writable));
        foreach (string inner in Directory.GetDirectories(folder, "*", SearchOption.AllDirectories)) File.SetUnixFileMode(inner, mode);
        File.SetUnixFileMode(folder, mode);
    }

    /// <summary>Gives a file the rights of a folder, if the file belongs to this user.</summary>
    public static void TryApplyToFile(string file, string shared)
    {
        if (OperatingSystem.IsWindows()) return;
        try
        {
            File.SetUnixFileMode(file, Of(File.GetUnixFileMode(shared)) & (Readable | Writable));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The file belongs to another user, or the file system has no rights.
        }
    }

    // In a folder with the sticky bit users cannot change files of others, so they must not be able to in folders below it either.
    private static UnixFileMode Of(UnixFileMode shared)
    {
        UnixFileMode mode = shared & (Readable | Writable | Executable | UnixFileMode.SetGroup) | OfOwner;
        return shared.HasFlag(UnixFileMode.StickyBit) ? mode & ~(UnixFileMode.GroupWrite | UnixFileMode.OtherWrite) : mode;
    }
}

namespace MuseAtelier.Cli;

/// <summary>The working folder, at which relative paths start.</summary>
internal static class WorkingFolder
{
    /// <summary>The message for a working folder that is gone: what was found, what was expected, and what to do.</summary>
    public const string Message =
        "the working folder is gone (deleted, moved or no longer accessible); expected a folder at which relative paths start. Change to "
            + "one that exists (cd) and try again.";

    /// <summary>Whether the folder was deleted after the process or its shell changed into it.</summary>
    public static bool IsGone => Path is null;

    /// <summary>Its path; null if it is gone.</summary>
    public static string? Path
    {
        get
        {
            try
            {
                string folder = Environment.CurrentDirectory;
                return Directory.Exists(folder) ? folder : null;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }
}

namespace MuseAtelier.Cli;

/// <summary>The folder at which relative paths start.</summary>
internal static class WorkingFolder
{
    /// <summary>What is wrong where it is gone, in the order of all failures.</summary>
    public const string Message = "the working folder is gone (deleted, moved or not accessible any more); expected a folder at which relative paths start. Change to one that exists (cd) and try again.";

    /// <summary>Whether it was deleted since the process or its shell went there.</summary>
    public static bool IsGone => Path is null;

    /// <summary>Its path; null where it is gone.</summary>
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

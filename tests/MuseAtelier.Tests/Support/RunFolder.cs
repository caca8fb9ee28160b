namespace MuseAtelier.Tests.Support;

/// <summary>
/// A folder that goes with the process: for what all tests share, which no fixture may delete while another one reads it.
/// </summary>
internal static class RunFolder
{
    /// <summary>Creates an empty folder.</summary>
    public static string Create(string prefix)
    {
        string folder = Directory.CreateTempSubdirectory(prefix).FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }
}

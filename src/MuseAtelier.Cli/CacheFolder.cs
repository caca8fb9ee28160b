using System.CommandLine;

namespace MuseAtelier.Cli;

/// <summary>How muse is told where exported checkpoints are kept.</summary>
internal static class CacheFolder
{
    /// <summary>The variable that names the folder.</summary>
    public const string Variable = "MUSE_CACHE";

    /// <summary>The option that names the folder.</summary>
    public static Option<string?> Option()
    {
        Option<string?> option = UserPath.Option("--cache");
        option.Description = $"Where checkpoints are exported to, once each. [default: the variable {Variable}, else MuseAtelier/packages in the user's local application data]";
        option.HelpName = "FOLDER";
        return option;
    }
}

namespace MuseAtelier.Cli;

/// <summary>The exit codes of muse.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int BadUsage = 2;
    public const int Cancelled = 130;

    /// <summary>The line about exit codes that ends every help page.</summary>
    public const string Help =
        "Exit codes: 0 done, 1 failed or a check did not pass (one line on stderr gives the reason), 2 wrong usage, 130 cancelled.";
}

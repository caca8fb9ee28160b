namespace MuseAtelier.Cli;

/// <summary>How muse ends.</summary>
internal static class ExitCode
{
    public const int Done = 0, Failed = 1, BadUsage = 2, Cancelled = 130;

    /// <summary>The codes as every help page states them.</summary>
    public const string Help = "Exit codes: 0 done, 1 failed or a check not passed (one line on stderr says why), 2 bad usage, 130 cancelled.";
}

using MuseAtelier.Storms.Running;
using Xunit.Runner.InProc.SystemConsole;

namespace MuseAtelier.Storms;

internal static class Program
{
    /// <summary>Runs a storm where the first argument names one, else the project's tests.</summary>
    public static async Task<int> Main(string[] arguments) =>
        StormCommand.Knows(arguments) ? await StormCommand.RunAsync(arguments) : await ConsoleRunner.Run(arguments);
}

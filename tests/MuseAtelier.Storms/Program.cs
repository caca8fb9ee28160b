using MuseAtelier.Storms.Running;
using Xunit.Runner.InProc.SystemConsole;

namespace MuseAtelier.Storms;

internal static class Program
{
    /// <summary>Runs the storm that the first argument names, and the project's tests if it names none.</summary>
    public static async Task<int> Main(string[] arguments) =>
        StormCommand.Knows(arguments) ? await StormCommand.RunAsync(arguments) : await ConsoleRunner.Run(arguments);
}

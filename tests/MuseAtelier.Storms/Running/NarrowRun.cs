using System.CommandLine;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Storms.Running;

/// <summary>Writes the narrow checkpoint to a file, for checks that paint with a program and do not look at its pictures.</summary>
internal static class NarrowRun
{
    public static Command Command()
    {
        var path = new Argument<string>("path") { Description = "The file." };
        var command = new Command("narrow", "Writes a checkpoint that paints in a third of the Miniature's time, and is not trained.")
        {
            path,
        };
        command.SetAction(result =>
        {
            NarrowCheckpoint.Write(StormFolder.Miniature, result.GetRequiredValue(path));
            return StormCommand.Passed;
        });
        return command;
    }
}

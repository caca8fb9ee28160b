using System.CommandLine;
using MuseAtelier.Pictures;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Processes;

/// <summary>A process of <see cref="WritesStorm"/> that writes pictures to one path repeatedly.</summary>
internal static class WriteRun
{
    public static Command Command()
    {
        var path = new Option<string>("--path") { Description = "The file.", Required = true };
        Option<int> count = StormCommand.Number("--count", "Writes.", 100);
        Option<int> first = StormCommand.Number("--first", "The first picture.", 0);
        var command = new Command("write", "Used by 'writes': writes pictures to one name.") { path, count, first };
        command.SetAction(result =>
        {
            for (int i = 0; i < result.GetValue(count); i++)
                Write(result.GetRequiredValue(path), result.GetValue(first) + i);
            return StormCommand.Passed;
        });
        return command;
    }

    /// <summary>Writes the storm's picture with the given number. The pictures repeat.</summary>
    public static void Write(string path, int picture, bool overwrite = true) =>
        PictureFile.Write(StormPicture.Numbered(picture % StormPicture.Kinds), path, new PictureFileOptions { Overwrite = overwrite });
}

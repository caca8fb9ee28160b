using System.CommandLine;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse render</c>: paints pictures into files.</summary>
internal static class RenderCommand
{
    /// <summary>The end of the command's help.</summary>
    public static readonly string[] Help =
    [
        "Example: muse render \"a starry night, Van Gogh style\" --seed 7 --out night.png",
        "",
        "May be run from any folder; relative paths start at the working folder. The first use of a checkpoint exports it into the cache, which takes",
        "about its own size. stdout gets the files' names (or JSON), stderr progress, notices and errors. Nothing is fetched from anywhere.",
    ];

    public static Command Create(Terminal terminal)
    {
        var prompt = new Argument<string>("PROMPT") { Description = "What the picture shows. A prompt that begins with - goes last, behind --." };
        var command = new Command("render", "Paints pictures from a prompt.") { prompt };
        var request = new RequestChoices();
        request.AddTo(command);
        var painting = new Painting(terminal, command);
        command.SetAction((result, stop) =>
        {
            var basis = new PictureRequest { Prompt = result.GetRequiredValue(prompt), Seed = RequestChoices.DrawSeed() };
            return painting.RunAsync(result, request.Read(result, basis), null, null, stop);
        });
        return command;
    }
}

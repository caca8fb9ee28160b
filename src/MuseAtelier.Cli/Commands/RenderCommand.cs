using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Display;
using MuseAtelier.Pictures;

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
        var request = new RequestChoices();
        var count = Choice.Whole("--count", "How many pictures, each with the next seed.", 1, least: 1);
        Option<string?> model = AtelierChoices.Model();
        var output = new Option<string?>("--out", "-o") { Description = $"The file ({PictureFormats.Known}), or an existing folder. With --count, files get numbers. [default: a file in the working folder, named after prompt and seed]", HelpName = "FILE|FOLDER" };
        var force = new Option<bool>("--force") { Description = "Replace a file that exists." };
        var preview = new Option<bool>("--preview") { Description = "Show the picture coming into being, in the terminal." };
        var json = new Option<bool>("--json") { Description = "One JSON object for each picture, one a line, on stdout." };
        var command = new Command("render", "Paints pictures from a prompt.") { request.Prompt };
        request.AddTo(command);
        foreach (Option option in (Option[])[count, model, output, force, preview, json]) command.Add(option);
        var choices = new AtelierChoices(command);
        command.SetAction(terminal, async (result, stop) =>
        {
            PictureRequest wanted = request.Read(result);
            PictureRequestException.ThrowIfUnpaintable(wanted);
            var files = new PictureFileOptions { Overwrite = result.GetValue(force) };
            List<string> paths = OutputPath.Choose(result.GetValue(output), wanted, result.GetValue(count), files);
            bool showsPreview = result.GetValue(preview) && terminal.ErrorConsole is not null;
            if (result.GetValue(preview) && !showsPreview) terminal.WriteNotice("notice", "--preview needs a terminal on stderr; painting without it");
            AtelierOptions options = choices.Read(result) with { Previews = showsPreview };
            string path = result.GetValue(model) ?? DefaultModel.Find();
            await using RenderDisplay display = RenderDisplay.Start(terminal, paths.Count);
            await using Atelier atelier = await Atelier.OpenAsync(path, options, display, stop);
            for (int i = 0; i < paths.Count; i++)
            {
                display.Begin(i + 1);
                Picture picture = await atelier.GenerateAsync(wanted with { Seed = unchecked(wanted.Seed + (ulong)i) }, display, stop);
                stop.ThrowIfCancellationRequested();
                PictureFile.Write(picture, paths[i], files);
                await display.FinishAsync(picture);
                foreach (string notice in picture.Notices) terminal.WriteNotice("notice", notice);
                terminal.Out.WriteLine(result.GetValue(json) ? Describe(picture, paths[i], atelier.Device).ToJsonString(Json.Readable) : Sentence(picture, paths[i]));
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static string Sentence(Picture picture, string path) =>
        string.Create(CultureInfo.InvariantCulture, $"{path}: {picture.Width}x{picture.Height}, seed {picture.Request.Seed}, {picture.Timings.Total.TotalSeconds:0.0} s");

    private static JsonObject Describe(Picture picture, string path, string device) => new()
    {
        ["file"] = Path.GetFullPath(path),
        ["width"] = picture.Width,
        ["height"] = picture.Height,
        ["seed"] = picture.Request.Seed,
        ["steps"] = picture.Request.Steps,
        ["guidance"] = picture.Request.GuidanceScale,
        ["model"] = picture.Model.Name,
        ["modelSha256"] = picture.Model.Sha256,
        ["device"] = device,
        ["notices"] = new JsonArray([.. picture.Notices.Select(notice => JsonValue.Create(notice))]),
        ["seconds"] = new JsonObject
        {
            ["text"] = picture.Timings.Text.TotalSeconds,
            ["denoising"] = picture.Timings.Denoising.TotalSeconds,
            ["decoding"] = picture.Timings.Decoding.TotalSeconds,
            ["total"] = picture.Timings.Total.TotalSeconds,
        },
    };
}

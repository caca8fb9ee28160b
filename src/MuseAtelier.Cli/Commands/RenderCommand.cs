using System.CommandLine;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Format;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse render</c>: paints pictures and writes them to files.</summary>
internal static class RenderCommand
{
    /// <summary>The last lines of the command's help.</summary>
    public static readonly string[] Help =
    [
        "Example: muse render \"a starry night, Van Gogh style\" --seed 7 --out night.png",
        "",
        "Works in any folder; relative paths start at the working folder. The first use of a checkpoint exports it to the cache, which",
        "takes about as much disk as the checkpoint itself. File names (or JSON) go to stdout; progress, notices and errors go to",
        "stderr. Nothing is downloaded.",
    ];

    public static Command Create(Terminal terminal)
    {
        var prompt = new Argument<string>("PROMPT")
        {
            Description = "What the picture shows. Put a prompt that begins with - at the end, after --.",
        };
        var command = new Command("render", "Paints pictures from a prompt.") { prompt };
        var request = new RequestChoices();
        request.AddTo(command);
        var painting = new Painting(terminal, command, request);
        command.SetAction(async (result, stop) =>
        {
            var basis = new PictureRequest { Prompt = result.GetRequiredValue(prompt), Seed = RequestChoices.DrawSeed() };
            PictureRequest picture = await request.ReadAsync(result, basis, null, terminal, stop);
            return await painting.RunAsync(
                result, picture, null, atelier => WarnOfMisfit(terminal, request.Preset(result), atelier.Model, picture.Loras), stop);
        });
        return command;
    }

    /// <summary>Writes a notice if a preset seems to fit neither the model nor its LoRAs.</summary>
    public static void WarnOfMisfit(Terminal terminal, FewStepPreset? preset, ModelInfo model, IReadOnlyList<PictureLora> loras)
    {
        IEnumerable<string> names = loras.Select(lora => Path.GetFileNameWithoutExtension(lora.Path));
        if (preset?.MisfitOf(model.Name, model.Title, names) is { } misfit) terminal.WriteNotice("notice", misfit);
        bool isOther = PackageManifest.Read(model.Package).Model.Prediction != PredictionType.Epsilon;
        if (preset is { Prediction: not ModelPrediction.Sample } && isOther)
            terminal.WriteNotice("notice", $"the preset {preset.Name} is for models that predict noise; {model.Name} does not");
    }
}

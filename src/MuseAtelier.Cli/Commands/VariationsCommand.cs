using System.CommandLine;
using MuseAtelier.Cli.Choices;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse variations</c>: paints a series over strengths, guidance scales or seeds, and a contact sheet of it.</summary>
internal static class VariationsCommand
{
    /// <summary>The last lines of the command's help.</summary>
    public static readonly string[] Help =
    [
        "Example: muse variations \"a lake in autumn\" --from photo.jpg --strengths 0.2,0.4,0.6 --out lake.png",
        "",
        "Paints every picture by itself, with the bytes that muse render gives, and writes it with its own record. The sheet shows them",
        "side by side, at most 512 px each, with a label; a row for each seed where strengths or guidance scales differ too.",
    ];

    public static Command Create(Terminal terminal)
    {
        var prompt = new Argument<string>("PROMPT")
        {
            Description = "What the pictures show. Put a prompt that begins with - at the end, after --.",
        };
        var command = new Command(
            "variations", "Paints a series over strengths, guidance scales or seeds, and one contact sheet of it.") { prompt };
        var request = new RequestChoices();
        request.AddTo(command);
        var variations = new VariationChoices(command, request);
        var painting = new Painting(terminal, command, request, isSeries: true);
        command.SetAction(async (result, stop) =>
        {
            var basis = new PictureRequest { Prompt = result.GetRequiredValue(prompt), Seed = RequestChoices.DrawSeed() };
            PictureRequest first = await request.ReadAsync(result, basis, null, terminal, stop);
            IReadOnlyList<Variation> series = variations.Read(result, first);
            int columns = variations.ColumnsOf(result, series.Count);
            return await painting.RunSeriesAsync(
                result, series, columns,
                atelier => RenderCommand.WarnOfMisfit(terminal, request.Preset(result), atelier.Model, first.Loras), stop);
        });
        return command;
    }
}

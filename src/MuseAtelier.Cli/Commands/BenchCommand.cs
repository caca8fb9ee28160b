using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MuseAtelier.Cli.Measuring;
using Spectre.Console;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse bench</c>: how fast pictures are painted here, and what they take.</summary>
internal static class BenchCommand
{
    private static readonly JsonSerializerOptions Members =
        new(Json.Readable) { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true, NewLine = "\n",
        Converters = { new JsonStringEnumConverter() } };

    public static Command Create(Terminal terminal)
    {
        var width = Choice.Whole("--width", "Width in px.", 1024, least: 1);
        var height = Choice.Whole("--height", "Height in px.", 1024, least: 1);
        var steps = Choice.Whole("--steps", "Denoising steps.", 30, least: 1);
        var pictures = Choice.Whole("--pictures", "Pictures that count, after one that does not; with --batch, passes.", 5, least: 1);
        var batch = Choice.Whole("--batch", $"Pictures that are denoised together, 1 to {BatchSlot.LargestBatch}; figures are those of one picture.", 1, least: 1, most: BatchSlot.LargestBatch);
        Option<string?> model = AtelierChoices.Model();
        var json = new Option<bool>("--json") { Description = "One JSON object on stdout." };
        var command = new Command("bench", "Paints pictures of guidance scale 7 with prompts of their own, and shows what they took: time, part by part, and memory, by the driver's count and by the arena's of ONNX Runtime.")
        {
            width, height, steps, pictures, batch, model, json,
        };
        var choices = new AtelierChoices(command);
        var frame = new FrameChoice(command);
        command.SetAction(async (result, stop) =>
        {
            var request = new PictureRequest
            {
                Prompt = "oil painting by Van Gogh, a starry night over a quiet Renaissance city, glowing yellow stars, deep blues",
                NegativePrompt = "blurry, low quality",
                Width = result.GetValue(width),
                Height = result.GetValue(height),
                Steps = result.GetValue(steps),
                Seed = 1,
                Frame = frame.Read(result),
            };
            PictureRequestException.ThrowIfUnpaintable(request);
            Measurement measured = await BenchRun.RunAsync(
                result.GetValue(model) ?? DefaultModel.Find(), choices.Read(result), request, result.GetValue(pictures), result.GetValue(batch),
                picture => terminal.WriteNotice("painted", string.Create(CultureInfo.InvariantCulture, $"{picture.Timings.Total.TotalSeconds:F3} s")), stop);
            if (result.GetValue(json)) terminal.Out.WriteLine(JsonSerializer.Serialize(measured, Members));
            else Show(measured, terminal.OutConsole);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Show(Measurement m, IAnsiConsole console)
    {
        var table = new Table { Border = TableBorder.Rounded, ShowHeaders = false };
        table.AddColumn("").AddColumn("");
        double total = m.PictureSeconds;
        Row("device", $"{m.Machine.Device}");
        Row("model", $"{m.Model}, {m.Parameters / 1e9:F2} B parameters");
        Row("picture", $"{m.Width}x{m.Height}, {m.Steps} steps, guidance {m.GuidanceScale}");
        if (m.BatchSize > 1) Row("at a time", $"{m.BatchSize} pictures; all times but a step's are one picture's share");
        Row("a picture", $"{total:F3} s (median of {m.Pictures}; {m.LeastSeconds:F3} to {m.MostSeconds:F3}); known prompt {m.KnownPromptSeconds:F3} s");
        Row("text", $"{1000 * m.TextSeconds:F1} ms ({m.TextSeconds / total:P1})");
        Row("steps", $"{1000 * m.DenoisingSeconds:F1} ms ({m.DenoisingSeconds / total:P1})");
        Row("decoding", $"{1000 * m.DecodingSeconds:F1} ms ({m.DecodingSeconds / total:P1})");
        string framed = m.FrameMilliseconds is { } cost ? FormattableString.Invariant($", of which {cost:F2} ms for the frame ({m.Frame})") : "";
        Row("finishing", $"{m.FinishingMilliseconds:F2} ms of the decoding: to bytes on the host{framed}");
        Row("file", $"{1000 * m.FileSeconds:F1} ms, not counted above");
        Row("a step", $"{m.StepMedianMilliseconds:F2} ms; p99 {m.StepP99Milliseconds:F2}, most {m.StepMostMilliseconds:F2}");
        Row("managed bytes a step", $"{m.ManagedBytesPerStep:F1}");
        Row("from start", $"open {m.OpenSeconds:F1} s, first picture {m.FirstPictureAtSeconds:F1} s, its file {m.FirstFileAtSeconds:F1} s");
        Row("device memory", $"{Amount(m.PeakDeviceBytes)} at most; planned {ByteSize.Format(m.PlannedBytes)}, {m.Offload}");
        Row("arena", $"{Amount(m.ArenaUsedBytes)} in use at most, {Amount(m.ArenaHeldBytes)} held at most");
        Row("host memory", $"{ByteSize.Format(m.PeakHostBytes)} at most");
        Row("with", $"{m.Machine.Runtime}, ONNX Runtime {m.Machine.OnnxRuntime}, MuseAtelier {m.Machine.Muse}, {m.Machine.Processor} cores, {m.Machine.System}");
        console.Write(table);

        static string Amount(long? bytes) => bytes is { } known ? ByteSize.Format(known) : "unknown";

        void Row(string name, FormattableString value) => table.AddRow(Markup.Escape(name), Markup.Escape(FormattableString.Invariant(value)));
    }
}

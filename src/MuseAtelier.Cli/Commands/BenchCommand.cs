using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Cli.Measuring;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse bench</c>: measures how fast this machine paints, and how much memory that takes.</summary>
internal static class BenchCommand
{
    private static readonly JsonSerializerOptions Members = new(Json.Readable)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter() },
    };

    private static readonly PictureRequest Standard = new()
    {
        Prompt = "oil painting by Van Gogh, a starry night over a quiet Renaissance city, glowing yellow stars, deep blues",
        NegativePrompt = "blurry, low quality",
        Seed = 1,
    };

    public static Command Create(Terminal terminal)
    {
        var pictures = Choice.Whole(
            "--pictures", "Number of measured pictures, after one that is not counted. With --batch, the number of batches.", 5, least: 1);
        var batch = Choice.Whole(
            "--batch",
            $"Batch size: how many pictures are denoised together, 1 to {BatchSlot.LargestBatch}. The results are those of one picture.",
            1,
            least: 1,
            most: BatchSlot.LargestBatch);
        Option<string?> model = AtelierChoices.Model();
        var json = new Option<bool>("--json") { Description = "Print one JSON object on stdout." };
        var command = new Command(
            "bench",
            "Paints pictures, and shows the time of each part and the memory in use. Each picture has a prompt of its own; memory is what "
                + "the driver and ONNX Runtime's arena count.")
        {
            pictures, batch, model, json,
        };
        var requests = new RequestChoices();
        requests.AddTo(command);
        var choices = new AtelierChoices(command);
        command.SetAction(async (result, stop) =>
        {
            PictureRequest request = await requests.ReadAsync(result, Standard, null, terminal, stop);
            AtelierOptions options = choices.Read(result) with
            {
                LoraFolders = requests.LoraFolders(result),
                EmbeddingFolders = requests.EmbeddingFolders(result),
            };
            options.ThrowIfUnpaintable(request);
            Measurement measured = await BenchRun.RunAsync(
                result.GetValue(model) ?? DefaultModel.Find(),
                options,
                request,
                result.GetValue(pictures),
                result.GetValue(batch),
                picture => terminal.WriteNotice("painted", Invariant($"{picture.Timings.Total.TotalSeconds:F3} s")),
                stop);
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
        string range = Invariant($"{m.LeastSeconds:F3} to {m.MostSeconds:F3}");
        string framed = m.FrameMilliseconds is { } cost ? Invariant($", of which {cost:F2} ms for the frame ({m.Frame})") : "";
        MeasuredMachine machine = m.Machine;
        string versions = $"{machine.Runtime}, ONNX Runtime {machine.OnnxRuntime}, MuseAtelier {machine.Muse}";
        Row("device", $"{machine.Device}");
        Row("model", $"{m.Model}, {m.Parameters / 1e9:F2} B parameters");
        Row("picture", $"{m.Width}x{m.Height}, {m.Steps} steps of {m.Sampler}, guidance {m.GuidanceScale}");
        if (m.BatchSize > 1) Row("batch size", $"{m.BatchSize}; all times except those of steps are one picture's share");
        Row("a picture", $"{total:F3} s (median of {m.Pictures}; {range}); known prompt {m.KnownPromptSeconds:F3} s");
        Row("text", $"{1000 * m.TextSeconds:F1} ms ({m.TextSeconds / total:P1})");
        Row("steps", $"{1000 * m.DenoisingSeconds:F1} ms ({m.DenoisingSeconds / total:P1})");
        Row("decoding", $"{1000 * m.DecodingSeconds:F1} ms ({m.DecodingSeconds / total:P1})");
        Row("post-processing", $"{m.PostProcessingMilliseconds:F2} ms of the decoding, to bytes on the host{framed}");
        Row("file", $"{1000 * m.FileSeconds:F1} ms, not counted above");
        Row("a step", $"{m.StepMedianMilliseconds:F2} ms; p99 {m.StepP99Milliseconds:F2}, most {m.StepMostMilliseconds:F2}");
        Row("managed bytes a step", $"{m.ManagedBytesPerStep:F1}");
        if (m.MergingSeconds > 0) Row("LoRAs", $"put in force in {m.MergingSeconds:F3} s, before the first picture");
        Row("from start", $"open {m.OpenSeconds:F1} s, first picture {m.FirstPictureAtSeconds:F1} s, its file {m.FirstFileAtSeconds:F1} s");
        Row("budgeted memory", $"{Amount(m.PeakDeviceBytes)} at most; planned {ByteSize.Format(m.PlannedBytes)}, {m.Offload}");
        Row("arena", $"{Amount(m.ArenaUsedBytes)} in use at most, {Amount(m.ArenaHeldBytes)} held at most");
        Row("host memory", $"{ByteSize.Format(m.PeakHostBytes)} at most");
        Row("with", $"{versions}, {machine.Processor} cores, {machine.System}");
        console.Write(table);

        static string Amount(long? bytes) => bytes is { } known ? ByteSize.Format(known) : "unknown";

        void Row(string name, FormattableString value) => table.AddRow(Markup.Escape(name), Markup.Escape(Invariant(value)));
    }
}

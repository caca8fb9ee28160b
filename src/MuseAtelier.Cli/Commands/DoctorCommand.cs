using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Cuda;
using MuseAtelier.Packages;
using Spectre.Console;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse doctor</c>: what of this machine can paint, part by part, and what to install. Finding nothing is no failure.</summary>
internal static class DoctorCommand
{
    private const int PlainWidth = 160;

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command("doctor", "Shows what this machine has to paint with: driver, CUDA, cuDNN, cards and their memory, ONNX Runtime for CUDA, models and free disk; and what is missing. Ends with 0 whatever it finds.") { json };
        command.SetAction(result =>
        {
            CudaDiagnosis diagnosis = CudaDiagnosis.Run();
            TextWriter output = result.InvocationConfiguration.Output;
            if (result.GetValue(json)) output.WriteLine(Describe(diagnosis).ToJsonString(Readable));
            else Print(diagnosis, output);
            return 0;
        });
        return command;
    }

    private static void Print(CudaDiagnosis diagnosis, TextWriter output)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        // Where there is no terminal, a table is better wide than broken.
        if (output != Console.Out || Console.IsOutputRedirected) console.Profile.Width = PlainWidth;

        var table = new Table().Border(TableBorder.Simple).AddColumn("part").AddColumn("state").AddColumn("found");
        foreach (CudaPart part in diagnosis.Parts)
        {
            string release = part == diagnosis.Driver && diagnosis.DriverRelease is not null ? $"{diagnosis.DriverRelease}, " : "";
            table.AddRow(Markup.Escape(part.Name), Word(part.State), Markup.Escape(release + part.Found));
        }

        if (diagnosis.Cards.Count == 0) table.AddRow("card", "none", "no NVIDIA card");
        foreach (CudaCard card in diagnosis.Cards)
        {
            string free = card.FreeBytes is { } bytes ? $", {ByteSize.Format(bytes)} free" : "";
            string state = card.ComputeCapability < CudaDiagnosis.LeastComputeCapability ? "too old" : "fits";
            table.AddRow(Text($"card {card.Index}"), state, Markup.Escape(Text($"{card.Name}, compute capability {card.ComputeCapability}, {ByteSize.Format(card.MemoryBytes)}{free}")));
        }

        table.AddRow("processor", "fits", Text($"{Environment.ProcessorCount} cores"));
        foreach ((ModelEntry model, string? path) in Models()) table.AddRow("model", path is null ? "not here" : "here", Markup.Escape(path ?? model.Name));
        foreach ((string folder, long free) in Disks()) table.AddRow("disk", "", Markup.Escape($"{ByteSize.Format(free)} free at {folder}"));
        console.Write(table);
        console.WriteLine(Verdict(diagnosis));
    }

    private static string Verdict(CudaDiagnosis diagnosis) =>
        diagnosis.Problem(0) is { } problem ? $"muse paints on the processor. To paint on an NVIDIA card: {problem.Message}" : $"muse paints on {diagnosis.Cards[0].Name}.";

    private static JsonObject Describe(CudaDiagnosis diagnosis) => new()
    {
        ["device"] = diagnosis.IsUsable ? "cuda" : "cpu",
        ["problem"] = diagnosis.Problem(0)?.Message,
        ["driverRelease"] = diagnosis.DriverRelease,
        ["parts"] = new JsonArray([.. diagnosis.Parts.Select(part => new JsonObject
        {
            ["name"] = part.Name,
            ["state"] = part.State.ToString(),
            ["version"] = part.Version?.ToString(),
            ["found"] = part.Found,
            ["expected"] = part.Expected,
            ["remedy"] = part.Remedy,
        })]),
        ["cards"] = new JsonArray([.. diagnosis.Cards.Select(card => new JsonObject
        {
            ["index"] = card.Index,
            ["name"] = card.Name,
            ["computeCapability"] = card.ComputeCapability.ToString(),
            ["memoryBytes"] = card.MemoryBytes,
            ["freeBytes"] = card.FreeBytes,
        })]),
        ["cores"] = Environment.ProcessorCount,
        ["models"] = new JsonArray([.. Models().Select(entry => new JsonObject { ["name"] = entry.Model.Name, ["path"] = entry.Path })]),
        ["disks"] = new JsonArray([.. Disks().Select(disk => new JsonObject { ["folder"] = disk.Folder, ["freeBytes"] = disk.Free })]),
    };

    // Only whether they are there: 'muse models' reads them.
    private static IEnumerable<(ModelEntry Model, string? Path)> Models()
    {
        foreach (ModelEntry model in ModelsLock.Embedded.Models)
        {
            string? found = null;
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null && found is null && model.Path is not null; folder = folder.Parent)
                if (Path.Combine(folder.FullName, model.Path) is var path && File.Exists(path)) found = path;
            yield return (model, found ?? (File.Exists(model.File) ? Path.GetFullPath(model.File) : null));
        }
    }

    // Where pictures go when nothing else is said, and where exported packages are kept.
    private static IEnumerable<(string Folder, long Free)> Disks()
    {
        string packages = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        foreach (string wanted in (string[])[Environment.CurrentDirectory, packages])
        {
            string? folder = wanted;
            while (!string.IsNullOrEmpty(folder) && !Directory.Exists(folder)) folder = Path.GetDirectoryName(folder);
            if (!string.IsNullOrEmpty(folder)) yield return (folder, new DriveInfo(folder).AvailableFreeSpace);
        }
    }

    private static string Word(CudaPartState state) => state switch
    {
        CudaPartState.Fits => "fits",
        CudaPartState.Missing => "missing",
        CudaPartState.WrongVersion => "wrong version",
        CudaPartState.Fails => "fails",
        _ => "not tried",
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

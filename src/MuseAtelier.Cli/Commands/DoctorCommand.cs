using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Diagnosis;
using MuseAtelier.Cpu;
using MuseAtelier.Cuda;
using MuseAtelier.Host;
using MuseAtelier.Packages;
using Spectre.Console;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse doctor</c>: what of this machine can paint, part by part, and what to install. Finding nothing is no failure.</summary>
internal static class DoctorCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string?> cache = AtelierChoices.Cache(), model = AtelierChoices.Model();
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command(
            "doctor",
            "Shows what this machine has to paint with: driver, CUDA, cuDNN, cards and their memory, ONNX Runtime, memory and its limits, models, the cache and free disk; "
            + "and what is missing. Looks where render looks: at --cache and --model, MUSE_CACHE and MUSE_MODEL. Ends with 0 whatever it finds.")
        {
            cache, model, json,
        };
        command.SetAction(result =>
        {
            CudaDiagnosis card = CudaDiagnosis.Run();
            HostDiagnosis host = HostDiagnosis.Run(result.GetValue(cache), result.GetValue(model));
            if (result.GetValue(json)) terminal.Out.WriteLine(Describe(card, host).ToJsonString(Json.Readable));
            else Print(card, host, terminal);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(CudaDiagnosis card, HostDiagnosis host, Terminal terminal)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("part").AddColumn("state").AddColumn("found");
        AddCards(table, card);
        AddHost(table, host);
        foreach ((ModelEntry model, string? path) in Models()) table.AddRow("model", path is null ? "not here" : "here", Markup.Escape(path ?? model.Name));
        AddPlaces(table, host);
        terminal.OutConsole.Write(table);
        terminal.Out.WriteLine(Verdict(card, host));
    }

    private static void AddCards(Table table, CudaDiagnosis diagnosis)
    {
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
    }

    private static void AddHost(Table table, HostDiagnosis host)
    {
        table.AddRow("processor", "fits", Text($"{Environment.ProcessorCount} cores"));
        table.AddRow("ONNX Runtime", host.OnnxRuntimeProblem is null ? "loads" : "does not load", Markup.Escape(host.OnnxRuntimeProblem?.Found ?? $"version {host.OnnxRuntimeVersion}"));
        if (host.HasOpenSsl is { } hasOpenSsl)
            table.AddRow("OpenSSL", hasOpenSsl ? "here" : "not here", hasOpenSsl ? "computes digests" : "not needed: muse computes digests itself, slower");
        foreach (MemoryBound bound in host.Memory) table.AddRow("memory", "", Markup.Escape($"{bound.Name}: {ByteSize.Format(bound.FreeBytes)} free of {ByteSize.Format(bound.LimitBytes)}"));
        foreach (ThreadBound bound in host.Threads)
            table.AddRow("tasks", "", Markup.Escape(Text($"{bound.Name}: {bound.Limit}{(bound.Used is { } used ? Text($", {used} in use") : "")}")));
    }

    private static void AddPlaces(Table table, HostDiagnosis host)
    {
        table.AddRow("default model", host.ModelProblem is null ? "here" : "not here", Markup.Escape(host.ModelProblem ?? host.Model!));
        foreach (PlaceDiagnosis place in host.Places)
        {
            string free = place.FreeBytes is { } bytes ? $"{ByteSize.Format(bytes)} free at " : "";
            table.AddRow(place.Name, place.Problem is null ? "writable" : "not writable", Markup.Escape(free + place.Folder + (place.Problem is null ? "" : $" ({place.Problem})")));
        }
    }

    private static string Verdict(CudaDiagnosis card, HostDiagnosis host)
    {
        string paints = card.Problem(0) is not { } problem ? $"muse paints on {card.Cards[0].Name}."
            : host.OnnxRuntimeProblem is { } runtime ? $"muse paints nowhere: {runtime.Message} To paint on an NVIDIA card: {problem.Message}"
            : $"muse paints on the processor. To paint on an NVIDIA card: {problem.Message}";
        List<string> remarks = [paints];
        if (host.ModelProblem is not null) remarks.Add("Without --model nothing is painted: the default model is not here.");
        if (host.Places.FirstOrDefault(place => place.IsCache) is { Problem: { } cache } place)
            remarks.Add($"Checkpoints cannot be exported to {place.Folder} ({cache}): name another folder with --cache or {AtelierChoices.CacheVariable}.");
        return string.Join(Environment.NewLine, remarks);
    }

    private static JsonObject Describe(CudaDiagnosis card, HostDiagnosis host)
    {
        JsonObject all = Describe(card);
        all["cores"] = Environment.ProcessorCount;
        all["onnxRuntime"] = new JsonObject { ["version"] = host.OnnxRuntimeVersion, ["loads"] = host.OnnxRuntimeProblem is null, ["problem"] = host.OnnxRuntimeProblem?.Message };
        all["openSsl"] = host.HasOpenSsl;
        all["memory"] = new JsonArray([.. host.Memory.Select(bound => new JsonObject { ["name"] = bound.Name, ["limitBytes"] = bound.LimitBytes, ["freeBytes"] = bound.FreeBytes })]);
        all["tasks"] = new JsonArray([.. host.Threads.Select(bound => new JsonObject { ["name"] = bound.Name, ["limit"] = bound.Limit, ["used"] = bound.Used })]);
        all["models"] = new JsonArray([.. Models().Select(entry => new JsonObject { ["name"] = entry.Model.Name, ["path"] = entry.Path })]);
        all["defaultModel"] = new JsonObject { ["path"] = host.Model, ["problem"] = host.ModelProblem };
        all["disks"] = new JsonArray([.. host.Places.Select(place => new JsonObject
        {
            ["name"] = place.Name,
            ["folder"] = place.Folder,
            ["freeBytes"] = place.FreeBytes,
            ["writable"] = place.Problem is null,
            ["problem"] = place.Problem,
        })]);
        return all;
    }

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
    };

    // Only whether they are there: 'muse models' reads them.
    private static IEnumerable<(ModelEntry Model, string? Path)> Models()
    {
        foreach (ModelEntry model in ModelsLock.Embedded.Models)
        {
            string? found = null;
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null && found is null && model.Path is not null; folder = folder.Parent)
                if (Path.GetFullPath(Path.Combine(folder.FullName, model.Path)) is var path && File.Exists(path)) found = path;
            if (found is null && WorkingFolder.Path is { } here && Path.Combine(here, model.File) is var local && File.Exists(local)) found = local;
            yield return (model, found);
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

using System.CommandLine;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Cli.Diagnosis;
using MuseAtelier.Cpu;
using MuseAtelier.Cuda;
using MuseAtelier.Format;
using MuseAtelier.Limits;
using MuseAtelier.Server.Checklist;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary>
/// <c>muse doctor</c>: shows which parts of this machine can paint and what to install. It ends with 0 even if nothing can paint.
/// </summary>
internal static class DoctorCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string?> cache = AtelierChoices.Cache();
        Option<string?> model = AtelierChoices.Model();
        Option<string?> gallery = UserPath.Option("--gallery");
        gallery.Description = "The folder of the pictures of muse atelier. [default: pictures in the working folder]";
        gallery.HelpName = "FOLDER";
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command(
            "doctor",
            "Shows what this machine can paint with, and what is missing. It looks at driver, CUDA, cuDNN, cards and their memory, ONNX "
                + "Runtime, memory and its limits, models, the cache and free disk space, and shows the checklist of muse atelier's page. "
                + "Checks the same places as render: --cache and --model, MUSE_CACHE and MUSE_MODEL. The exit code is always 0.")
        {
            cache, model, gallery, json,
        };
        var budget = new BudgetChoices(command);
        budget.AllowOneBudget(command);
        command.SetAction(result =>
        {
            CudaDiagnosis card = CudaDiagnosis.Run();
            HostDiagnosis host = HostDiagnosis.Run(result.GetValue(cache), result.GetValue(model));
            var options = new AtelierOptions
            {
                Backend = CpuBackend.Create(),
                CacheFolder = host.Cache,
                DeviceMemory = budget.VideoMemory(result),
                HostMemory = budget.Memory(result),
                Offload = budget.Offload(result),
            };
            IReadOnlyList<ChecklistLine> checklist = DoctorChecklist.Run(card, host, options, result.GetValue(gallery));
            if (result.GetValue(json)) terminal.Out.WriteLine(Describe(card, host, checklist).ToJsonString(Json.Readable));
            else Print(card, host, checklist, terminal);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(CudaDiagnosis card, HostDiagnosis host, IReadOnlyList<ChecklistLine> checklist, Terminal terminal)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("part").AddColumn("state").AddColumn("found");
        AddCards(table, card);
        AddHost(table, host);
        foreach ((ModelEntry model, string? path) in Models())
            table.AddRow("model", path is null ? "missing" : "found", Markup.Escape(path ?? model.Name));
        AddPlaces(table, host);
        terminal.OutConsole.Write(table);
        terminal.OutConsole.Write(TableOf(checklist));
        terminal.Out.WriteLine(Verdict(card, host));
    }

    private static Table TableOf(IReadOnlyList<ChecklistLine> checklist)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("checklist").AddColumn("state").AddColumn("found and remedy");
        foreach (ChecklistLine line in checklist)
            table.AddRow(line.Key, line.IsDone ? "done" : "to do", Markup.Escape($"{line.Finding} {line.Remedy}".TrimEnd()));
        return table;
    }

    private static void AddCards(Table table, CudaDiagnosis diagnosis)
    {
        foreach (CudaPart part in diagnosis.Parts)
        {
            string release = part == diagnosis.Driver && diagnosis.DriverRelease is { } known ? $"{known}, " : "";
            table.AddRow(Markup.Escape(part.Name), Word(part.State), Markup.Escape(release + part.Found));
        }

        if (diagnosis.Cards.Count == 0) table.AddRow("card", "none", "no NVIDIA card");
        foreach (CudaCard card in diagnosis.Cards)
        {
            string free = card.FreeBytes is { } bytes ? $", {ByteSize.Format(bytes)} free" : "";
            string size = ByteSize.Format(card.MemoryBytes);
            string state = card.ComputeCapability < CudaDiagnosis.LeastComputeCapability ? "too old" : "fits";
            table.AddRow(
                Invariant($"card {card.Index}"),
                state,
                Markup.Escape(Invariant($"{card.Name}, compute capability {card.ComputeCapability}, {size}{free}")));
        }
    }

    private static void AddHost(Table table, HostDiagnosis host)
    {
        table.AddRow("processor", "fits", Invariant($"{Environment.ProcessorCount} cores"));
        table.AddRow(
            "ONNX Runtime",
            host.OnnxRuntimeProblem is null ? "loads" : "does not load",
            Markup.Escape(host.OnnxRuntimeProblem?.Found ?? $"version {host.OnnxRuntimeVersion}"));
        if (host.HasOpenSsl is { } hasOpenSsl)
        {
            string use = hasOpenSsl ? "computes digests" : "not required: muse computes digests itself, but more slowly";
            table.AddRow("OpenSSL", hasOpenSsl ? "found" : "missing", use);
        }

        foreach (MemoryBound bound in host.Memory)
        {
            string amount = $"{ByteSize.Format(bound.FreeBytes)} free of {ByteSize.Format(bound.LimitBytes)}";
            table.AddRow("memory", "", Markup.Escape($"{bound.Name}: {amount}"));
        }

        foreach (ThreadBound bound in host.Threads)
        {
            string used = bound.Used is { } number ? Invariant($", {number} in use") : "";
            table.AddRow("tasks", "", Markup.Escape(Invariant($"{bound.Name}: {bound.Limit}{used}")));
        }
    }

    private static void AddPlaces(Table table, HostDiagnosis host)
    {
        table.AddRow("default model", host.ModelProblem is null ? "found" : "missing", Markup.Escape(host.ModelProblem ?? host.Model!));
        foreach (PlaceDiagnosis place in host.Places)
        {
            string free = place.FreeBytes is { } bytes ? $"{ByteSize.Format(bytes)} free at " : "";
            string problem = place.Problem is null ? "" : $" ({place.Problem})";
            table.AddRow(
                place.Name,
                place.Problem is null ? "writable" : "not writable",
                Markup.Escape(free + place.Folder + problem));
        }
    }

    private static string Verdict(CudaDiagnosis card, HostDiagnosis host)
    {
        List<string> remarks = [Device(card, host)];
        if (host.ModelProblem is not null) remarks.Add("muse cannot paint without --model, because the default model is missing.");
        if (host.Places.FirstOrDefault(place => place.IsCache) is { Problem: { } cache } place)
        {
            remarks.Add($"Checkpoints cannot be exported to {place.Folder} ({cache}): name another folder with --cache or "
                + $"{AtelierChoices.CacheVariable}.");
        }

        return string.Join(Environment.NewLine, remarks);
    }

    private static string Device(CudaDiagnosis card, HostDiagnosis host)
    {
        if (card.Problem(0) is not { } problem) return $"muse paints on {card.Cards[0].Name}.";
        string remedy = $"To paint on an NVIDIA card: {problem.Message}";
        return host.OnnxRuntimeProblem is { } runtime
            ? $"muse cannot paint: {runtime.Message} {remedy}"
            : $"muse paints on the processor. {remedy}";
    }

    private static JsonObject Describe(CudaDiagnosis card, HostDiagnosis host, IReadOnlyList<ChecklistLine> checklist)
    {
        JsonObject all = Describe(card);
        all["cores"] = Environment.ProcessorCount;
        all["onnxRuntime"] = new JsonObject
        {
            ["version"] = host.OnnxRuntimeVersion,
            ["loads"] = host.OnnxRuntimeProblem is null,
            ["problem"] = host.OnnxRuntimeProblem?.Message,
        };
        all["openSsl"] = host.HasOpenSsl;
        all["memory"] = new JsonArray([.. host.Memory.Select(bound => new JsonObject
        {
            ["name"] = bound.Name,
            ["limitBytes"] = bound.LimitBytes,
            ["freeBytes"] = bound.FreeBytes,
        })]);
        all["tasks"] = new JsonArray([.. host.Threads.Select(bound => new JsonObject
        {
            ["name"] = bound.Name,
            ["limit"] = bound.Limit,
            ["used"] = bound.Used,
        })]);
        all["models"] = new JsonArray([.. Models().Select(entry => new JsonObject
        {
            ["name"] = entry.Model.Name,
            ["path"] = entry.Path,
        })]);
        all["defaultModel"] = new JsonObject { ["path"] = host.Model, ["problem"] = host.ModelProblem };
        all["disks"] = new JsonArray([.. host.Places.Select(place => new JsonObject
        {
            ["name"] = place.Name,
            ["folder"] = place.Folder,
            ["freeBytes"] = place.FreeBytes,
            ["writable"] = place.Problem is null,
            ["problem"] = place.Problem,
        })]);
        all["checklist"] = new JsonArray([.. checklist.Select(line => new JsonObject
        {
            ["key"] = line.Key,
            ["isDone"] = line.IsDone,
            ["finding"] = line.Finding,
            ["remedy"] = line.Remedy,
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

    // Checks only whether the files exist; 'muse models' verifies their content.
    private static IEnumerable<(ModelEntry Model, string? Path)> Models() =>
        ModelsLock.Embedded.Models.Select(model => (model, Find(model)));

    private static string? Find(ModelEntry model)
    {
        DirectoryInfo? folder = model.Path is null ? null : new DirectoryInfo(AppContext.BaseDirectory);
        for (; folder is not null; folder = folder.Parent)
        {
            string path = Path.GetFullPath(Path.Combine(folder.FullName, model.Path!));
            if (File.Exists(path)) return path;
        }

        if (WorkingFolder.Path is not { } here) return null;
        string local = Path.Combine(here, model.File);
        return File.Exists(local) ? local : null;
    }

    private static string Word(CudaPartState state) => state switch
    {
        CudaPartState.Fits => "fits",
        CudaPartState.Missing => "missing",
        CudaPartState.WrongVersion => "wrong version",
        CudaPartState.Fails => "fails",
        _ => "not tried",
    };
}

using System.CommandLine;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Display;
using MuseAtelier.Format;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse models</c>: lists the known models, and verifies the files that it finds.</summary>
internal static class ModelsCommand
{
    public static Command Create(Terminal terminal)
    {
        var folders = new Argument<string[]>("FOLDER")
        {
            Description = "Further folders in which to look for the files, by their published names.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var json = new Option<bool>("--json") { Description = "Print one JSON object per model, one a line." };
        var command = new Command(
            "models",
            $"Lists the known models ({ModelsLock.FileName}) and verifies the files that it finds. "
                + "Values that no source states are 'unknown'. Downloads nothing.") { folders, json };
        command.SetAction((result, stop) =>
        {
            string[] places = result.GetValue(folders) ?? [];
            foreach (string place in places)
                if (!Directory.Exists(place)) throw new ModelFolderMissingException(place);
            List<FoundModel> models = [.. ModelsLock.Embedded.Models.Select(model => Look(model, places, stop))];
            if (result.GetValue(json))
            {
                foreach (FoundModel model in models) terminal.Out.WriteLine(Describe(model).ToJsonString(Json.Readable));
            }
            else
            {
                Show(terminal, models);
            }

            bool isWrong = models.Any(found => found.Check.State is ModelState.SizeDiffers or ModelState.DigestDiffers);
            return Task.FromResult(isWrong ? ExitCode.Failed : ExitCode.Done);
        });
        return command;
    }

    private static FoundModel Look(ModelEntry model, string[] folders, CancellationToken stop)
    {
        string? path = Find(model, folders);
        ModelCheck check = path is null
            ? new ModelCheck(ModelState.Absent, null, null)
            : ModelsLock.Verify(model, path, null, stop);
        return new FoundModel(model, path, check);
    }

    private static string? Find(ModelEntry model, string[] folders)
    {
        List<string> places = [.. folders.Select(folder => Path.Combine(folder, model.File))];
        DirectoryInfo? above = model.Path is null ? null : new DirectoryInfo(AppContext.BaseDirectory);
        for (; above is not null; above = above.Parent) places.Add(Path.Combine(above.FullName, model.Path!));
        return places.Find(File.Exists) is { } found ? Path.GetFullPath(found) : null;
    }

    private static JsonObject Describe(FoundModel found) => new()
    {
        ["name"] = found.Model.Name,
        ["file"] = found.Model.File,
        ["bytes"] = found.Model.Bytes,
        ["sha256"] = found.Model.Sha256,
        ["license"] = found.Model.License,
        ["page"] = found.Model.Page?.ToString(),
        ["note"] = found.Model.Note,
        ["found"] = found.Path,
        ["state"] = found.Check.State.ToString(),
        ["foundBytes"] = found.Check.Bytes,
        ["foundSha256"] = found.Check.Sha256,
    };

    private static void Show(Terminal terminal, IReadOnlyList<FoundModel> models)
    {
        foreach (FoundModel found in models)
        {
            ModelEntry model = found.Model;
            terminal.OutConsole.MarkupLine($"[bold]{Markup.Escape(model.Name)}[/]");
            FactSheet.Write(terminal.Out, "  ",
            [
                ("file", model.File),
                ("size", model.Bytes is { } bytes ? Invariant($"{bytes:N0} bytes") : "unknown"),
                ("sha256", model.Sha256 ?? "unknown"),
                ("licence", model.License ?? "unknown"),
                ("published", model.Page?.ToString() ?? "with muse"),
                ("note", model.Note),
                ("location", Verdict(found.Path, found.Check)),
            ]);
            terminal.Out.WriteLine();
        }
    }

    private static string Verdict(string? path, ModelCheck check) => check.State switch
    {
        ModelState.Absent => "not found",
        ModelState.Right => $"{path}: verified",
        ModelState.SizeDiffers => Invariant($"{path}: another file, of {check.Bytes:N0} bytes"),
        ModelState.DigestDiffers => $"{path}: another file, with SHA-256 {check.Sha256}",
        _ => $"{path}: SHA-256 {check.Sha256}; no published digest to compare it with",
    };

    private sealed record FoundModel(ModelEntry Model, string? Path, ModelCheck Check);
}

/// <summary>The command line names a folder to search for models, and that folder does not exist.</summary>
internal sealed class ModelFolderMissingException(string folder)
    : MuseAtelierException(
        $"there is no folder {folder}",
        "a folder that holds checkpoints",
        "Check the spelling; relative paths start at the working folder.");

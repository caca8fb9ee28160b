using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Display;
using MuseAtelier.Packages;
using Spectre.Console;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse models</c>: the models that the project knows, and whether the files at hand are these.</summary>
internal static class ModelsCommand
{
    public static Command Create(Terminal terminal)
    {
        var folders = new Argument<string[]>("FOLDER") { Description = "Where else to look for the files, by their published names.", Arity = ArgumentArity.ZeroOrMore };
        var json = new Option<bool>("--json") { Description = "One JSON object for each model, one a line." };
        var command = new Command("models", $"Lists the models that muse knows ({ModelsLock.FileName}) and verifies those that are at hand. What no source states is 'unknown'. Fetches nothing.") { folders, json };
        command.SetAction((result, stop) =>
        {
            string[] places = result.GetValue(folders) ?? [];
            foreach (string place in places)
                if (!Directory.Exists(place)) throw new ModelFolderMissingException(place);
            List<(ModelEntry Model, string? Path, ModelCheck Check)> models = [.. ModelsLock.Embedded.Models.Select(model =>
            {
                string? path = Find(model, places);
                return (model, path, path is null ? new ModelCheck(ModelState.Absent, null, null) : ModelsLock.Verify(model, path, null, stop));
            })];
            if (result.GetValue(json)) foreach (var (model, path, check) in models) terminal.Out.WriteLine(Describe(model, path, check).ToJsonString(Json.Readable));
            else Show(terminal, models);
            return Task.FromResult(models.Any(entry => entry.Check.State is ModelState.SizeDiffers or ModelState.DigestDiffers) ? ExitCode.Failed : ExitCode.Done);
        });
        return command;
    }

    private static string? Find(ModelEntry model, string[] folders)
    {
        IEnumerable<string> places = folders.Select(folder => Path.Combine(folder, model.File));
        if (model.Path is not null)
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent) places = places.Append(Path.Combine(folder.FullName, model.Path));
        return places.FirstOrDefault(File.Exists) is { } found ? Path.GetFullPath(found) : null;
    }

    private static JsonObject Describe(ModelEntry model, string? path, ModelCheck check) => new()
    {
        ["name"] = model.Name,
        ["file"] = model.File,
        ["bytes"] = model.Bytes,
        ["sha256"] = model.Sha256,
        ["license"] = model.License,
        ["page"] = model.Page?.ToString(),
        ["note"] = model.Note,
        ["found"] = path,
        ["state"] = check.State.ToString(),
        ["foundBytes"] = check.Bytes,
        ["foundSha256"] = check.Sha256,
    };

    private static void Show(Terminal terminal, IReadOnlyList<(ModelEntry Model, string? Path, ModelCheck Check)> models)
    {
        foreach (var (model, path, check) in models)
        {
            terminal.OutConsole.MarkupLine($"[bold]{Markup.Escape(model.Name)}[/]");
            FactSheet.Write(terminal.Out, "  ",
            [
                ("file", model.File),
                ("size", model.Bytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} bytes") : "unknown"),
                ("sha256", model.Sha256 ?? "unknown"),
                ("licence", model.License ?? "unknown"),
                ("published", model.Page?.ToString() ?? "with muse"),
                ("note", model.Note),
                ("here", Verdict(path, check)),
            ]);
            terminal.Out.WriteLine();
        }
    }

    private static string Verdict(string? path, ModelCheck check) => check.State switch
    {
        ModelState.Absent => "not found",
        ModelState.Right => $"{path}: verified",
        ModelState.SizeDiffers => string.Create(CultureInfo.InvariantCulture, $"{path}: another file, of {check.Bytes:N0} bytes"),
        ModelState.DigestDiffers => $"{path}: another file, with SHA-256 {check.Sha256}",
        _ => $"{path}: SHA-256 {check.Sha256}; none is known to compare it with",
    };
}

/// <summary>A folder to look for models in does not exist.</summary>
internal sealed class ModelFolderMissingException(string folder)
    : MuseAtelierException($"there is no folder {folder}", "a folder that holds checkpoints", "Check the spelling; relative paths start at the working folder.");

using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Cli.Display;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary>
/// <c>muse cache</c>: lists and removes exported packages and the leftovers of exports that were killed.
/// </summary>
internal static class CacheCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string?> folder = AtelierChoices.Cache();
        Option<bool> json = JsonOption();
        var command = new Command(
            "cache",
            "Lists the exported packages, or removes them. Shows size, checkpoint, last use, and whether a checkpoint still uses the "
                + "package; also what killed exports left.")
        {
            folder, json, Clear(terminal),
        };
        command.SetAction(result =>
        {
            CacheContent content = CachedPackages.List(AtelierChoices.CacheFolder(result.GetValue(folder)));
            if (result.GetValue(json)) terminal.Out.WriteLine(Describe(content).ToJsonString(Json.Readable));
            else Show(terminal, content);
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Clear(Terminal terminal)
    {
        var name = new Argument<string?>("NAME") { Description = "A package, as muse cache names it.", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "Remove every package that is not in use." };
        var stale = new Option<bool>("--stale") { Description = "Remove stale packages: those that no checkpoint uses any more." };
        Option<string?> folder = AtelierChoices.Cache();
        Option<bool> json = JsonOption();
        var command = new Command(
            "clear",
            "Removes what killed exports left and the packages that NAME, --all or --stale choose. Packages that are in use or being "
                + "exported stay. Checkpoints stay too: a removed package is exported again when it is needed.")
        {
            name, all, stale, folder, json,
        };
        command.Validators.Add(result =>
        {
            bool[] choices = [result.GetValue(name) is not null, result.GetValue(all), result.GetValue(stale)];
            if (choices.Count(isGiven => isGiven) > 1) result.AddError("NAME, --all and --stale exclude each other");
        });
        command.SetAction(result =>
        {
            string? cache = AtelierChoices.CacheFolder(result.GetValue(folder));
            CacheContent content = CachedPackages.List(cache);
            IReadOnlyList<CachedPackage> wanted = Choose(content, result.GetValue(name), result.GetValue(all), result.GetValue(stale));
            List<CachedPackage> removed = [];
            List<CachedPackage> kept = [];
            foreach (CachedPackage package in wanted) (CachedPackages.Remove(package) ? removed : kept).Add(package);
            IReadOnlyList<CachedPartial> leftovers = CachedPackages.RemoveLeftovers(cache);
            if (result.GetValue(json)) terminal.Out.WriteLine(Describe(removed, kept, leftovers).ToJsonString(Json.Readable));
            else Show(terminal, removed, kept, leftovers);
            return kept.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static Option<bool> JsonOption() => new("--json") { Description = "Print one JSON object on stdout." };

    private static IReadOnlyList<CachedPackage> Choose(CacheContent content, string? name, bool all, bool stale)
    {
        if (name is null)
        {
            if (all) return content.Packages;
            return stale ? [.. content.Packages.Where(package => package.StaleBecause is not null)] : [];
        }

        return [content.Packages.FirstOrDefault(package => package.Name == name)
            ?? throw new CachedPackageMissingException(content.Folder, name)];
    }

    private static void Show(Terminal terminal, CacheContent content)
    {
        foreach (CachedPackage package in content.Packages)
        {
            terminal.OutConsole.MarkupLine($"[bold]{Markup.Escape(Terminal.OneLine(package.Name))}[/]");
            FactSheet.Write(terminal.Out, "  ",
            [
                ("checkpoint", package.Checkpoint is null ? "unknown" : Terminal.OneLine(package.Checkpoint)),
                ("size", ByteSize.Format(package.Bytes)),
                ("last use", LastUse(package)),
                ("state", State(package)),
            ]);
            terminal.Out.WriteLine();
        }

        foreach (CachedPartial partial in content.Partials)
        {
            string state = partial.IsBeingWritten ? "being exported" : "left by an export that was killed; muse cache clear removes it";
            terminal.Out.WriteLine($"{Terminal.OneLine(partial.Name)}: {ByteSize.Format(partial.Bytes)}, {state}");
        }

        long bytes = content.Packages.Sum(package => package.Bytes) + content.Partials.Sum(partial => partial.Bytes);
        terminal.Out.WriteLine(Invariant($"{content.Packages.Count} packages, {ByteSize.Format(bytes)} in {content.Folder}"));
    }

    private static string LastUse(CachedPackage package) =>
        package.LastUse?.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "unknown";

    private static string State(CachedPackage package)
    {
        string state = package.StaleBecause is { } reason ? $"stale: {Terminal.OneLine(reason)}" : "current";
        return package.IsInUse ? $"{state}; in use" : state;
    }

    private static void Show(
        Terminal terminal, List<CachedPackage> removed, List<CachedPackage> kept, IReadOnlyList<CachedPartial> leftovers)
    {
        foreach (CachedPackage package in kept)
            terminal.WriteNotice("notice", $"{package.Name} stays, because a program uses or exports it");
        foreach (CachedPackage package in removed) ShowRemoved(terminal, package.Name, package.Bytes);
        foreach (CachedPartial leftover in leftovers) ShowRemoved(terminal, leftover.Name, leftover.Bytes);
        if (removed.Count + leftovers.Count == 0) terminal.Out.WriteLine("nothing to remove");
    }

    private static void ShowRemoved(Terminal terminal, string name, long bytes) =>
        terminal.Out.WriteLine($"removed {Terminal.OneLine(name)}, {ByteSize.Format(bytes)}");

    private static JsonObject Describe(CacheContent content) => new()
    {
        ["folder"] = content.Folder,
        ["packages"] = new JsonArray([.. content.Packages.Select(Describe)]),
        ["partials"] = new JsonArray([.. content.Partials.Select(Describe)]),
    };

    private static JsonObject Describe(
        List<CachedPackage> removed, List<CachedPackage> kept, IReadOnlyList<CachedPartial> leftovers) => new()
        {
            ["removed"] = new JsonArray([.. removed.Select(Describe)]),
            ["kept"] = new JsonArray([.. kept.Select(Describe)]),
            ["partialsRemoved"] = new JsonArray([.. leftovers.Select(Describe)]),
        };

    private static JsonObject Describe(CachedPackage package) => new()
    {
        ["name"] = package.Name,
        ["checkpoint"] = package.Checkpoint,
        ["bytes"] = package.Bytes,
        ["lowering"] = package.Lowering?.ToString(),
        ["lastUse"] = package.LastUse,
        ["state"] = package.StaleBecause is null ? "current" : "stale",
        ["staleBecause"] = package.StaleBecause,
        ["inUse"] = package.IsInUse,
    };

    private static JsonObject Describe(CachedPartial partial) => new()
    {
        ["name"] = partial.Name,
        ["bytes"] = partial.Bytes,
        ["beingWritten"] = partial.IsBeingWritten,
    };
}

/// <summary>The cache has no package with the given name.</summary>
internal sealed class CachedPackageMissingException(string folder, string name)
    : MuseAtelierException($"there is no package '{name}' in {folder}", "the name of a package", "muse cache lists them.");

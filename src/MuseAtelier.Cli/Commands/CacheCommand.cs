using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Display;
using Spectre.Console;

namespace MuseAtelier.Cli.Commands;

/// <summary>
/// <c>muse cache</c>: the packages that checkpoints were exported to, what killed exports left, and how to be rid of them.
/// </summary>
internal static class CacheCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string?> folder = AtelierChoices.Cache();
        var json = new Option<bool>("--json") { Description = "One JSON object on stdout." };
        var command = new Command("cache",
            "Lists the packages that checkpoints were exported to: size, checkpoint, last use, and whether the checkpoint "
            + "still leads to it; and what killed exports left.")
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
        var all = new Option<bool>("--all") { Description = "Every package that is not in use." };
        var stale = new Option<bool>("--stale") { Description = "Packages that no checkpoint leads to any more." };
        Option<string?> folder = AtelierChoices.Cache();
        var json = new Option<bool>("--json") { Description = "One JSON object on stdout." };
        var command = new Command("clear",
            "Removes what killed exports left and, where one is named, packages. What is in use or being exported "
            + "stays. Checkpoints are not touched: their packages are made again when they are needed.")
        {
            name, all, stale, folder, json,
        };
        command.Validators.Add(result =>
        {
            int chosen = (result.GetValue(name) is null ? 0 : 1) + (result.GetValue(all) ? 1 : 0) + (result.GetValue(stale) ? 1 : 0);
            if (chosen > 1) result.AddError("NAME, --all and --stale exclude each other");
        });
        command.SetAction(result =>
        {
            string? cache = AtelierChoices.CacheFolder(result.GetValue(folder));
            CacheContent content = CachedPackages.List(cache);
            IReadOnlyList<CachedPackage> wanted = Choose(content, result.GetValue(name), result.GetValue(all), result.GetValue(stale));
            List<CachedPackage> removed = [], kept = [];
            foreach (CachedPackage package in wanted) (CachedPackages.Remove(package) ? removed : kept).Add(package);
            IReadOnlyList<CachedPartial> leftovers = CachedPackages.RemoveLeftovers(cache);
            if (result.GetValue(json)) terminal.Out.WriteLine(Describe(removed, kept, leftovers).ToJsonString(Json.Readable));
            else Show(terminal, removed, kept, leftovers);
            return kept.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

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
                ("last use", package.LastUse is { } time ? time.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)
                    : "unknown"),
                ("state", (package.StaleBecause is { } reason ? $"stale: {Terminal.OneLine(reason)}" : "current")
                    + (package.IsInUse ? "; in use" : "")),
            ]);
            terminal.Out.WriteLine();
        }

        foreach (CachedPartial partial in content.Partials)
        {
            string state = partial.IsBeingWritten ? "being exported" : "left by an export that was killed; muse cache clear removes it";
            terminal.Out.WriteLine($"{Terminal.OneLine(partial.Name)}: {ByteSize.Format(partial.Bytes)}, {state}");
        }

        long bytes = content.Packages.Sum(package => package.Bytes) + content.Partials.Sum(partial => partial.Bytes);
        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{content.Packages.Count} packages, {ByteSize.Format(bytes)} in {content.Folder}"));
    }

    private static void Show(Terminal terminal, List<CachedPackage> removed, List<CachedPackage> kept,
        IReadOnlyList<CachedPartial> leftovers)
    {
        foreach (CachedPackage package in kept) terminal.WriteNotice("notice", $"{package.Name} stays: a program uses or exports it");
        foreach (CachedPackage package in removed) terminal.Out.WriteLine(
            $"removed {Terminal.OneLine(package.Name)}, {ByteSize.Format(package.Bytes)}");
        foreach (CachedPartial leftover in leftovers) terminal.Out.WriteLine(
            $"removed {Terminal.OneLine(leftover.Name)}, {ByteSize.Format(leftover.Bytes)}");
        if (removed.Count + leftovers.Count == 0) terminal.Out.WriteLine("nothing to remove");
    }

    private static JsonObject Describe(CacheContent content) => new()
    {
        ["folder"] = content.Folder,
        ["packages"] = new JsonArray([.. content.Packages.Select(Describe)]),
        ["partials"] = new JsonArray([.. content.Partials.Select(Describe)]),
    };

    private static JsonObject Describe(List<CachedPackage> removed, List<CachedPackage> kept, IReadOnlyList<CachedPartial> leftovers) =>
        new()
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

    private static JsonObject Describe(CachedPartial partial) =>
        new() { ["name"] = partial.Name, ["bytes"] = partial.Bytes, ["beingWritten"] = partial.IsBeingWritten };
}

/// <summary>The cache has no package of that name.</summary>
internal sealed class CachedPackageMissingException(string folder, string name)
    : MuseAtelierException($"there is no package '{name}' in {folder}", "the name of a package", "muse cache lists them.");

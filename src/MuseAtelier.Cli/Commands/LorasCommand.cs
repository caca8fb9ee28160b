using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Adapters;
using MuseAtelier.Cli.Display;
using MuseAtelier.Export.Loras;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse loras</c>: lists the LoRAs of folders, with what their headers state.</summary>
internal static class LorasCommand
{
    private const int ShownWords = 5;

    public static Command Create(Terminal terminal)
    {
        var folders = new Argument<string[]>("FOLDER")
        {
            Description = "Folders of LoRAs, with their subfolders.",
            Arity = ArgumentArity.OneOrMore,
        };
        var json = new Option<bool>("--json") { Description = "Print one JSON object per file, one a line." };
        var command = new Command(
            "loras",
            "Lists the LoRAs of folders. Shows name, family, rank, changed parts, the model that it was trained on, trigger words and "
                + "size. Files that cannot be used are listed with the reason. Reads only headers.") { folders, json };
        command.SetAction((result, stop) =>
        {
            string[] places = [.. result.GetRequiredValue(folders).Select(place => UserPath.Expand("FOLDER", place))];
            LoraScan scan = new LoraFolder(places).Current;
            List<FoundLora> loras = [];
            foreach (LoraEntry entry in scan.Entries)
            {
                stop.ThrowIfCancellationRequested();
                loras.Add(Look(entry));
            }

            foreach (string notice in scan.Notices) terminal.WriteNotice("notice", notice);
            if (result.GetValue(json))
            {
                foreach (FoundLora lora in loras) terminal.Out.WriteLine(Describe(lora).ToJsonString(Json.Readable));
            }
            else Show(terminal, loras);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static FoundLora Look(LoraEntry entry)
    {
        try
        {
            using LoraFile file = LoraFile.Open(entry.Path);
            return new FoundLora(entry, file.Info, null);
        }
        catch (MuseAtelierException exception)
        {
            return new FoundLora(entry, null, exception.Message);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new FoundLora(entry, null, exception.Message);
        }
    }

    private static JsonObject Describe(FoundLora lora) => new()
    {
        ["name"] = lora.Entry.Name,
        ["file"] = lora.Entry.Path,
        ["alias"] = lora.Info?.Alias,
        ["title"] = lora.Info?.Title,
        ["families"] = lora.Info is { } info ? Texts(info.Families) : null,
        ["leastRank"] = lora.Info?.LeastRank,
        ["mostRank"] = lora.Info?.MostRank,
        ["parts"] = lora.Info is { } known ? Texts(known.Parts) : null,
        ["layers"] = lora.Info?.Layers,
        ["trainedOn"] = lora.Info?.TrainedOn,
        ["triggerWords"] = lora.Info is { } said ? Texts(said.TriggerWords) : null,
        ["bytes"] = lora.Info?.Bytes,
        ["fault"] = lora.Fault,
    };

    private static void Show(Terminal terminal, List<FoundLora> loras)
    {
        foreach (FoundLora lora in loras)
        {
            terminal.OutConsole.MarkupLine($"[bold]{Markup.Escape(Terminal.OneLine(lora.Entry.Name))}[/]");
            LoraInfo? info = lora.Info;
            FactSheet.Write(terminal.Out, "  ",
            [
                ("file", Terminal.OneLine(lora.Entry.Place)),
                ("alias", info?.Alias),
                ("title", info?.Title),
                ("family", info is null ? null : Family(info)),
                ("trained on", info is null ? null : info.TrainedOn ?? "unknown"),
                ("trigger words", info is { TriggerWords.Count: > 0 } ? string.Join(", ", info.TriggerWords.Take(ShownWords)) : null),
                ("size", info is null ? null : ByteSize.Format(info.Bytes)),
                ("unusable", lora.Fault),
            ]);
            terminal.Out.WriteLine();
        }

        int faults = loras.Count(lora => lora.Fault is not null);
        string unusable = faults == 0 ? "" : Invariant($", {faults} of them unusable");
        terminal.Out.WriteLine(Invariant($"{loras.Count} files{unusable}"));
    }

    private static string Family(LoraInfo info)
    {
        string rank = info switch
        {
            { MostRank: 0 } => "",
            _ when info.LeastRank == info.MostRank => Invariant($", rank {info.MostRank}"),
            _ => Invariant($", rank {info.LeastRank} to {info.MostRank}"),
        };
        string layers = info.Layers == 1 ? "1 layer" : string.Create(CultureInfo.InvariantCulture, $"{info.Layers} layers");
        return $"{string.Join(" + ", info.Families)}{rank}; {layers} of {string.Join(", ", info.Parts)}";
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);

    private sealed record FoundLora(LoraEntry Entry, LoraInfo? Info, string? Fault);
}

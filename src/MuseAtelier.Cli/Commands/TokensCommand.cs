using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Adapters;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Format;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse tokens</c>: shows the tokens of prompts, and what each step sees of them.</summary>
internal static class TokensCommand
{
    private static readonly PictureRequest Defaults = new() { Prompt = "", GuidanceScale = 0 };

    public static Command Create(Terminal terminal)
    {
        var prompt = new Argument<string?>("PROMPT") { Description = "The prompt.", Arity = ArgumentArity.ZeroOrOne };
        var file = new Option<string?>("--file")
        {
            Description = "Read prompts from a file, one JSON string a line (- means standard input).",
            HelpName = "PROMPTS.jsonl",
        };
        var json = new Option<bool>("--json")
        {
            Description = "Print one JSON object per prompt, one a line: {\"clip_l\":[77 ids],\"clip_g\":[77 ids]}, the ids of the first "
                + "chunk. In another syntax than plain, chunks is an array of such objects with weights:[77 numbers], and a prompt with "
                + "several parts or versions has sets: an array of {steps, parts:[{text, weight, chunks}]}. Embeddings that are used are "
                + "in embeddings: an array of {name, sha256, vectors, firstId}; the ids of their vectors are firstId and those after it.",
        };
        Option<PromptSyntax> syntax = PromptSyntaxChoice.Create();
        Option<int> backtrack = PromptSyntaxChoice.CreateCommaBacktrack();
        Option<int> steps = Choice.Whole(
            "--steps",
            "The steps over which prompt editing and alternation are shown.",
            Defaults.Steps,
            least: 1,
            most: RequestRules.MostSteps);
        Option<string[]> loras = LoraChoices.Folders(), embeddings = EmbeddingChoice.Create();
        var command = new Command(
            "tokens",
            "Shows the tokens of a prompt, and what each step sees of it. Tokens are in chunks, with their weights; in the plain syntax, "
                + $"the text that is cut off after token {TextChunk.Capacity} is shown too. Needs no model.")
            { prompt, file, json, syntax, backtrack, steps, loras, embeddings };
        command.Validators.Add(result =>
        {
            if (result.GetValue(prompt) is null == result.GetValue(file) is null) result.AddError("give either a prompt or --file");
        });
        command.SetAction((result, stop) =>
        {
            bool isJson = result.GetValue(json);
            PictureRequest settings = Defaults with
            {
                PromptSyntax = Choice.Given(result, syntax, Defaults.PromptSyntax),
                CommaBacktrack = Choice.Given(result, backtrack, Defaults.CommaBacktrack),
                Steps = Choice.Given(result, steps, Defaults.Steps),
            };
            var weighted = new WeightedTokens(
                terminal,
                settings,
                new LoraFolder(LoraChoices.FoldersOf(result, loras)),
                new EmbeddingFolder(result.GetValue(embeddings) ?? []));
            if (result.GetValue(file) is { } path) ShowFile(terminal, path, settings, weighted, isJson, stop);
            else if (settings.PromptSyntax == PromptSyntax.Plain) ShowPrompt(terminal, result.GetValue(prompt)!, isJson);
            else weighted.Show(result.GetValue(prompt)!, isJson);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static void ShowPrompt(Terminal terminal, string prompt, bool isJson)
    {
        PromptTokens tokens = PromptTokenizer.Encode(prompt);
        if (isJson) terminal.Out.WriteLine(Ids(tokens));
        else Show(terminal, tokens);
        if (PlainNotice(prompt) is { } notice) terminal.WriteNotice("notice", notice);
    }

    private static void ShowFile(
        Terminal terminal, string path, PictureRequest settings, WeightedTokens weighted, bool isJson, CancellationToken stop)
    {
        int line = 0;
        foreach (string text in PromptLines.Read(path))
        {
            line++;
            stop.ThrowIfCancellationRequested();
            if (settings.PromptSyntax != PromptSyntax.Plain)
            {
                weighted.ShowLine(text, isJson, line);
                continue;
            }

            PromptTokens tokens = PromptTokenizer.Encode(text);
            terminal.Out.WriteLine(isJson ? Ids(tokens) : Terminal.OneLine($"{Count(tokens)}: {text}"));
            if (PlainNotice(text) is { } notice) terminal.WriteNotice("notice", Invariant($"line {line}: {notice}"));
        }
    }

    private static string? PlainNotice(string prompt) => PromptSyntaxNotice.Of(prompt, syntax: PromptSyntax.Plain);

    private static string Ids(PromptTokens tokens) => new JsonObject
    {
        ["clip_l"] = new JsonArray([.. tokens.ClipL.ToArray().Select(id => JsonValue.Create(id))]),
        ["clip_g"] = new JsonArray([.. tokens.ClipG.ToArray().Select(id => JsonValue.Create(id))]),
    }.ToJsonString();

    private static void Show(Terminal terminal, PromptTokens tokens)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns("#", "id", "token", "stands for");
        for (int i = 0; i < tokens.Tokens.Count; i++)
        {
            PromptToken token = tokens.Tokens[i];
            table.AddRow(
                (i + 1).ToString(CultureInfo.InvariantCulture),
                token.Id.ToString(CultureInfo.InvariantCulture),
                Markup.Escape(token.Text),
                Markup.Escape($"'{Terminal.OneLine(token.Source)}'"));
        }

        if (tokens.Tokens.Count > 0) terminal.OutConsole.Write(table);
        terminal.Out.WriteLine(Count(tokens));
        if (tokens.CutCount > 0) terminal.Out.WriteLine($"cut off: {Terminal.OneLine(tokens.CutText)}");
    }

    private static string Count(PromptTokens tokens)
    {
        string read = Invariant($"{tokens.Tokens.Count} of {TextChunk.Capacity} tokens");
        if (tokens.CutCount == 0) return read;
        string about = tokens.IsCutCountExact ? "" : "at least ";
        return Invariant($"{read}, {about}{tokens.CutCount} more cut off");
    }
}

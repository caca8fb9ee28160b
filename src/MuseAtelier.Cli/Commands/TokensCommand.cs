using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse tokens</c>: how prompts are cut into tokens, and what falls off their end.</summary>
internal static class TokensCommand
{
    private const int Room = 75;

    public static Command Create(Terminal terminal)
    {
        var prompt = new Argument<string?>("PROMPT") { Description = "The prompt.", Arity = ArgumentArity.ZeroOrOne };
        var file = new Option<string?>("--file") { Description = "Prompts from a file, one JSON string a line (- reads standard input).", HelpName = "PROMPTS.jsonl" };
        var json = new Option<bool>("--json") { Description = "One JSON object for each prompt, one a line: {\"clip_l\":[77 ids],\"clip_g\":[77 ids]}." };
        var command = new Command("tokens", $"Shows how a prompt is cut into tokens and what falls off its end: the model reads {Room}. Needs no model.") { prompt, file, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(prompt) is null == result.GetValue(file) is null) result.AddError("give either a prompt or --file");
        });
        command.SetAction((result, stop) =>
        {
            if (result.GetValue(file) is not { } path)
            {
                PromptTokens tokens = PromptTokenizer.Encode(result.GetValue(prompt)!);
                if (result.GetValue(json)) terminal.Out.WriteLine(Ids(tokens));
                else Show(terminal, tokens);
                if (PromptSyntaxNotice.Of(result.GetValue(prompt)!) is { } notice) terminal.WriteNotice("notice", notice);
                return Task.FromResult(ExitCode.Done);
            }

            int line = 0;
            foreach (string text in PromptLines.Read(path))
            {
                line++;
                stop.ThrowIfCancellationRequested();
                PromptTokens tokens = PromptTokenizer.Encode(text);
                terminal.Out.WriteLine(result.GetValue(json) ? Ids(tokens) : Terminal.OneLine($"{Count(tokens)}: {text}"));
                if (PromptSyntaxNotice.Of(text) is { } syntax)
                    terminal.WriteNotice("notice", string.Create(CultureInfo.InvariantCulture, $"line {line}: {syntax}"));
            }

            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

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

    private static string Count(PromptTokens tokens) => tokens.CutCount == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{tokens.Tokens.Count} of {Room} tokens")
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{tokens.Tokens.Count} of {Room} tokens, {(tokens.IsCutCountExact ? "" : "at least ")}{tokens.CutCount} more cut off");
}

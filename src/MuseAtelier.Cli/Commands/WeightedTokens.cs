using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Conditioning;
using MuseAtelier.Packages;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary>Shows the chunks and weights of a prompt whose syntax has them, for <c>muse tokens</c>.</summary>
internal static class WeightedTokens
{
    /// <summary>Shows a prompt as a table of tokens, or as one line of JSON.</summary>
    public static void Show(Terminal terminal, string prompt, PromptSyntax syntax, bool isJson)
    {
        PreparedPrompt prepared = PreparedPrompt.Of(prompt, "prompt", syntax);
        if (isJson)
        {
            terminal.Out.WriteLine(Json(prepared.Chunks));
        }
        else
        {
            Table table = Tokens(prepared.Chunks);
            if (table.Rows.Count > 0) terminal.OutConsole.Write(table);
            terminal.Out.WriteLine(Count(prepared.Chunks));
        }

        foreach (string notice in prepared.Notices) terminal.WriteNotice("notice", notice);
    }

    /// <summary>Shows the prompt of a line of a file in one line.</summary>
    public static void ShowLine(Terminal terminal, string prompt, PromptSyntax syntax, bool isJson, int line)
    {
        PreparedPrompt prepared = PreparedPrompt.Of(prompt, Invariant($"prompt of line {line}"), syntax);
        terminal.Out.WriteLine(isJson ? Json(prepared.Chunks) : Terminal.OneLine($"{Count(prepared.Chunks)}: {prompt}"));
        foreach (string notice in prepared.Notices) terminal.WriteNotice("notice", notice);
    }

    private static string Json(PromptChunks chunks) => new JsonObject
    {
        ["chunks"] = new JsonArray([.. Enumerable.Range(0, chunks.Count).Select(chunk => new JsonObject
        {
            ["clip_l"] = Numbers(chunks.ClipL(chunk)),
            ["clip_g"] = Numbers(chunks.ClipG(chunk)),
            ["weights"] = Numbers(chunks.WeightsOf(chunk)),
        })]),
    }.ToJsonString();

    private static JsonArray Numbers<T>(ReadOnlySpan<T> numbers) => new([.. numbers.ToArray().Select(number => JsonValue.Create(number))]);

    private static Table Tokens(PromptChunks chunks)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns("chunk", "#", "id", "token", "weight");
        for (int chunk = 0; chunk < chunks.Count; chunk++)
        {
            int count = Length(chunks, chunk);
            for (int i = 1; i <= count; i++)
            {
                int id = chunks.ClipL(chunk)[i];
                table.AddRow(
                    (chunk + 1).ToString(CultureInfo.InvariantCulture),
                    i.ToString(CultureInfo.InvariantCulture),
                    id.ToString(CultureInfo.InvariantCulture),
                    Markup.Escape(ClipTokenizer.Shared.TextOf(id)),
                    chunks.WeightsOf(chunk)[i].ToString("0.###", CultureInfo.InvariantCulture));
            }
        }

        return table;
    }

    private static string Count(PromptChunks chunks)
    {
        int tokens = Enumerable.Range(0, chunks.Count).Sum(chunk => Length(chunks, chunk));
        string parts = chunks.Count == 1 ? "1 chunk" : Invariant($"{chunks.Count} chunks");
        return Invariant($"{tokens} tokens in {parts} of {TextChunk.Capacity}");
    }

    // The tokens of text in a chunk: those before the last run of ends, which is the end and the padding.
    private static int Length(PromptChunks chunks, int chunk) =>
        chunks.ClipL(chunk)[..(TextChunk.Length - 1)].LastIndexOfAnyExcept(ClipVocabulary.EndOfText);
}

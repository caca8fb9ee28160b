using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary>
/// Shows what each step sees of a prompt whose syntax has weights: its parts, their chunks and weights. For <c>muse tokens</c>.
/// </summary>
/// <param name="terminal">The output.</param>
/// <param name="settings">A request with the syntax, the comma rule and the steps. It has no guidance, so no negative prompt.</param>
/// <param name="loras">The folders in which LoRAs of the prompt are found; none means that their tags are text.</param>
/// <param name="embeddings">The folders in which embeddings of the prompt are found.</param>
internal sealed class WeightedTokens(Terminal terminal, PictureRequest settings, LoraFolder loras, EmbeddingFolder embeddings)
{
    /// <summary>Shows a prompt as tables of tokens, or as one line of JSON.</summary>
    public void Show(string prompt, bool isJson)
    {
        ResolvedLoras resolved = LoraPrompts.Resolve(settings with { Prompt = prompt }, loras);
        var prompts = RequestPrompts.Of(resolved.Request, folder: embeddings);
        if (isJson)
        {
            terminal.Out.WriteLine(Json(prompts, resolved.Request.Loras));
        }
        else
        {
            foreach (PictureLora lora in resolved.Request.Loras) terminal.Out.WriteLine(Terminal.OneLine(Describe(lora)));
            for (int set = 0; set < prompts.Sets.Count; set++)
            {
                if (prompts.Sets.Count > 1) terminal.Out.WriteLine(Steps(prompts.SetOfStep, set));
                ShowParts(prompts.Sets[set], prompts);
            }
        }

        foreach (string notice in resolved.Notices.Concat(prompts.Notices)) terminal.WriteNotice("notice", notice);
    }

    /// <summary>Shows the prompt of a line of a file in one line.</summary>
    public void ShowLine(string prompt, bool isJson, int line)
    {
        ResolvedLoras resolved = LoraPrompts.Resolve(settings with { Prompt = prompt }, loras);
        var prompts = RequestPrompts.Of(resolved.Request, Invariant($"prompt of line {line}"), embeddings);
        terminal.Out.WriteLine(isJson ? Json(prompts, resolved.Request.Loras) : Terminal.OneLine($"{Summary(prompts)}: {prompt}"));
        foreach (string notice in resolved.Notices.Concat(prompts.Notices)) terminal.WriteNotice("notice", notice);
    }

    private void ShowParts(PromptSet set, RequestPrompts prompts)
    {
        for (int part = 0; part < set.Parts.Count; part++)
        {
            string place = set.Parts.Count == 1 ? "" : Invariant($"part {part + 1} of {set.Parts.Count}, weight {prompts.Weights[part]}: ");
            bool isOnly = set.Parts.Count == 1 && prompts.Sets.Count == 1;
            if (!isOnly) terminal.Out.WriteLine(Terminal.OneLine(place + set.Texts[part].Trim()));
            Table table = Tokens(set.Parts[part]);
            if (table.Rows.Count > 0) terminal.OutConsole.Write(table);
            terminal.Out.WriteLine(Count(set.Parts[part]));
        }
    }

    // The steps that use a set, such as: steps 1-16, 18
    private static string Steps(IReadOnlyList<int> setOfStep, int set)
    {
        List<string> runs = [];
        int count = 0;
        for (int step = 1; step <= setOfStep.Count; step++)
        {
            if (setOfStep[step - 1] != set) continue;
            int first = step;
            while (step < setOfStep.Count && setOfStep[step] == set) step++;
            runs.Add(first == step ? Invariant($"{step}") : Invariant($"{first}-{step}"));
            count += step - first + 1;
        }

        return (count == 1 ? "step " : "steps ") + string.Join(", ", runs);
    }

    private static string Describe(PictureLora lora) =>
        Invariant($"LoRA {lora.Name}: strength {lora.Strength}, of the text encoders {lora.TextStrength ?? lora.Strength}");

    private static string Json(RequestPrompts prompts, IReadOnlyList<PictureLora> loras)
    {
        PromptChunks first = prompts.Sets[0].Parts[0];
        var json = new JsonObject
        {
            ["clip_l"] = Numbers(first.ClipL(0)),
            ["clip_g"] = Numbers(first.ClipG(0)),
            ["chunks"] = Json(first),
        };
        if (first.Embeddings.Count > 0) json["embeddings"] = EmbeddingsOf(first);
        if (prompts.Sets.Count > 1 || prompts.Weights.Count > 1)
            json["sets"] = new JsonArray([.. prompts.Sets.Select((set, index) => Json(prompts, set, index))]);
        if (loras.Count > 0) json["loras"] = new JsonArray([.. loras.Select(Json)]);
        return json.ToJsonString();
    }

    private static JsonObject Json(PictureLora lora) => new()
    {
        ["name"] = lora.Name,
        ["strength"] = lora.Strength,
        ["textStrength"] = lora.TextStrength ?? lora.Strength,
    };

    private static JsonObject Json(RequestPrompts prompts, PromptSet set, int index) => new()
    {
        ["steps"] = Numbers<int>([.. Enumerable.Range(1, prompts.SetOfStep.Count).Where(step => prompts.SetOfStep[step - 1] == index)]),
        ["parts"] = new JsonArray([.. set.Parts.Select((part, i) => Part(part, set.Texts[i], prompts.Weights[i]))]),
    };

    private static JsonObject Part(PromptChunks part, string text, float weight)
    {
        var json = new JsonObject { ["text"] = text, ["weight"] = weight, ["chunks"] = Json(part) };
        if (part.Embeddings.Count > 0) json["embeddings"] = EmbeddingsOf(part);
        return json;
    }

    // The embeddings whose vectors are among the ids, with the id of the first vector of each.
    private static JsonArray EmbeddingsOf(PromptChunks chunks)
    {
        var all = new JsonArray();
        int id = TextChunk.Vocabulary;
        foreach (Embedding embedding in chunks.Embeddings)
        {
            all.Add(new JsonObject
            {
                ["name"] = embedding.Name,
                ["sha256"] = embedding.Sha256,
                ["vectors"] = embedding.Count,
                ["firstId"] = id,
            });
            id += embedding.Count;
        }

        return all;
    }

    private static JsonArray Json(PromptChunks chunks) => new([.. Enumerable.Range(0, chunks.Count).Select(chunk => new JsonObject
    {
        ["clip_l"] = Numbers(chunks.ClipL(chunk)),
        ["clip_g"] = Numbers(chunks.ClipG(chunk)),
        ["weights"] = Numbers(chunks.WeightsOf(chunk)),
    })]);

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
                    Markup.Escape(TextOf(chunks, id)),
                    chunks.WeightsOf(chunk)[i].ToString("0.###", CultureInfo.InvariantCulture));
            }
        }

        return table;
    }

    private static string TextOf(PromptChunks chunks, int id)
    {
        if (id < TextChunk.Vocabulary) return ClipTokenizer.Shared.TextOf(id);
        (Embedding embedding, int row) = chunks.VectorOf(id);
        return Terminal.OneLine(Invariant($"{embedding.Name} (embedding, vector {row + 1} of {embedding.Count})"));
    }

    private static string Summary(RequestPrompts prompts)
    {
        string count = Count(prompts.Sets[0].Parts[0]);
        if (prompts.Weights.Count > 1) count += Invariant($", first of {prompts.Weights.Count} parts");
        return prompts.Sets.Count > 1 ? count + Invariant($", first of {prompts.Sets.Count} versions") : count;
    }

    private static string Count(PromptChunks chunks)
    {
        int tokens = Enumerable.Range(0, chunks.Count).Sum(chunk => Length(chunks, chunk));
        string parts = chunks.Count == 1 ? "1 chunk" : Invariant($"{chunks.Count} chunks");
        string count = tokens == 1 ? "1 token" : Invariant($"{tokens} tokens");
        return Invariant($"{count} in {parts} of {TextChunk.Capacity}");
    }

    // The tokens of text in a chunk: those before the last run of ends, which is the end and the padding.
    private static int Length(PromptChunks chunks, int chunk) =>
        chunks.ClipL(chunk)[..(TextChunk.Length - 1)].LastIndexOfAnyExcept(ClipVocabulary.EndOfText);
}

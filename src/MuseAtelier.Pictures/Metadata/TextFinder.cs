using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>A program's text and its reader.</summary>
/// <param name="Text">The text.</param>
/// <param name="Read">Reads the text; null if nothing can be painted from it.</param>
internal sealed record FoundText(PictureText Text, Func<ParsedParameters>? Read);

/// <summary>
/// Finds the text of the program that made a picture among all texts of the file. Of several texts, it takes the one that is easiest to
/// read reliably.
/// </summary>
/// <param name="content">The file's metadata.</param>
internal sealed class TextFinder(PictureFileContent content)
{
    private const string XmpKeyword = "XML:com.adobe.xmp";
    private const string CommentKeyword = "UserComment";

    /// <summary>The text; null if the file has no known text.</summary>
    public FoundText? Find() =>
        FromParameters() ?? FromStabilityMatrix() ?? FromInvokeAi() ?? FromComment() ?? FromSettings() ?? FromGraph() ?? FromKeys()
            ?? FromXmp() ?? FromMidjourney() ?? FromUnknown();

    // JSON under "parameters", or in EXIF's comment.
    private FoundText? FromParameters() => FromJson(ParametersText.Keyword, content.Parameters)
        ?? FromJson(CommentKeyword, Text(CommentKeyword));

    private FoundText? FromJson(string keyword, string? text)
    {
        if (Json(text) is not { } json) return null;
        (string Program, Func<JsonElement, RequestDraft> Read)? known =
            Has(json, "sui_image_params") ? (Programs.SwarmUi, ForeignJson.SwarmUi)
            : Has(json, "PositivePrompt") ? (Programs.StabilityMatrix, ForeignJson.StabilityMatrix)
            : Has(json, "c") && (Has(json, "uc") || Has(json, "seed_mode") || Has(json, "v2"))
                ? (Programs.DrawThings, ForeignJson.DrawThings)
            : Has(json, "num_inference_steps") || Has(json, "use_stable_diffusion_model")
                ? (Programs.EasyDiffusion, ForeignJson.EasyDiffusion)
            : Has(json, "positive_prompt") ? (Programs.InvokeAi, ForeignJson.InvokeAi)
            : Has(json, "prompt") && Has(json, "uc") ? (Programs.NovelAi, ForeignJson.NovelAi)
            : Has(json, "base_model") || Has(json, "full_prompt") || Has(json, "metadata_scheme") || Text("fooocus_scheme") == "fooocus"
                ? (Programs.Fooocus, ForeignJson.Fooocus)
            : null;
        if (known is { } program) return Painted(program.Program, keyword, text!, json, program.Read);
        return ComfyGraph.Is(json) ? Painted(Programs.ComfyUi, keyword, text!, json, nodes => ComfyGraph.Read(content.Path, nodes)) : null;
    }

    private FoundText? FromStabilityMatrix()
    {
        const string keyword = "parameters-json";
        if (Text(keyword) is { } text && Json(text) is { ValueKind: JsonValueKind.Object } json)
            return Painted(Programs.StabilityMatrix, keyword, text, json, ForeignJson.StabilityMatrix);
        return null;
    }

    // InvokeAI since version 3. Older versions painted with models before SDXL.
    private FoundText? FromInvokeAi()
    {
        const string keyword = "invokeai_metadata";
        if (Text(keyword) is { } text && Json(text) is { } json)
            return Painted(Programs.InvokeAi, keyword, text, json, ForeignJson.InvokeAi);
        return Shown(Programs.InvokeAi, "sd-metadata") ?? Shown(Programs.InvokeAi, "Dream");
    }

    // NovelAI, and forks of Fooocus.
    private FoundText? FromComment()
    {
        const string keyword = "Comment";
        if (Text(keyword) is not { } text || Json(text) is not { } json) return null;
        bool isNovelAi = Text("Software")?.StartsWith(Programs.NovelAi, StringComparison.OrdinalIgnoreCase) ?? false;
        if (isNovelAi) return Has(json, "prompt") ? Painted(Programs.NovelAi, keyword, text, json, ForeignJson.NovelAi)
            : Shown(Programs.NovelAi, keyword);
        return FromJson(keyword, text);
    }

    // AUTOMATIC1111's text, from any program.
    private FoundText? FromSettings()
    {
        if (content.Parameters is not { } text || text.Length > ParametersText.Longest || !ParametersParser.Knows(text)) return null;
        return new FoundText(new PictureText(ParametersParser.ProgramOf(text), ParametersText.Keyword, text), () =>
            new ParametersParser(content.Path).Parse(text));
    }

    private FoundText? FromGraph()
    {
        foreach (string keyword in (string[])["prompt", "Model"])
        {
            // In EXIF, the graph has its name as a prefix.
            if (Text(keyword) is { } text && Json(Behind(text, "prompt:")) is { } json && ComfyGraph.Is(json))
                return Painted(Programs.ComfyUi, keyword, text, json, nodes => ComfyGraph.Read(content.Path, nodes));
        }

        // The editor's form alone cannot be painted from, because it does not name the inputs of its nodes.
        bool hasWorkflow = Json(Text("workflow")) is { } workflow && Has(workflow, "nodes");
        return hasWorkflow ? Shown(Programs.ComfyUi, "workflow") : Shown(Programs.StabilityMatrix, "smproj");
    }

    // Easy Diffusion writes each setting under a keyword of its own.
    private FoundText? FromKeys()
    {
        bool isNamed = Text("use_stable_diffusion_model") is not null || Text("num_inference_steps") is not null
            || Text("Stable Diffusion model") is not null;
        if (!isNamed) return null;
        string text = JsonSerializer.Serialize(content.Texts.Where(one => one.Key != XmpKeyword).ToDictionary(),
            TextsJson.Default.DictionaryStringString);
        return Json(text) is { } json ? Painted(Programs.EasyDiffusion, "prompt", Text("prompt") ?? Text("Prompt") ?? "", json,
            ForeignJson.EasyDiffusion) : null;
    }

    private FoundText? FromXmp()
    {
        if (Text(XmpKeyword) is not { } packet || XmpText.Read(packet) is not { } xmp) return null;
        if (FromJson(XmpKeyword, xmp.Comment) is { } found) return found;
        bool isDrawThings = xmp.Creator?.StartsWith(Programs.DrawThings, StringComparison.OrdinalIgnoreCase) ?? false;
        return isDrawThings ? Shown(Programs.DrawThings, XmpKeyword) : null;
    }

    private FoundText? FromMidjourney() =>
        Text("Description") is { } text && text.Contains("Job ID: ", StringComparison.Ordinal) ? Shown(Programs.Midjourney, "Description")
            : null;

    private FoundText? FromUnknown()
    {
        if (Text("Software")?.StartsWith(Programs.NovelAi, StringComparison.OrdinalIgnoreCase) ?? false)
            return Shown(Programs.NovelAi, "Description");
        return null;
    }

    private FoundText Painted(string program, string keyword, string text, JsonElement json, Func<JsonElement, RequestDraft> read) =>
        new(new PictureText(program, keyword, text), () => Read(program, json, read));

    private ParsedParameters Read(string program, JsonElement json, Func<JsonElement, RequestDraft> read)
    {
        try
        {
            RequestDraft draft = json.ValueKind == JsonValueKind.Object ? read(json)
                : throw new PictureTextUnpaintableException(content.Path, program, "it is not a JSON object");
            return draft.Prompt is not null ? draft.Finish()
                : throw new PictureTextUnpaintableException(content.Path, program, "it names no prompt");
        }
        // A member has another type than the program writes, or a text is not valid Unicode.
        catch (InvalidOperationException exception)
        {
            throw new PictureTextUnpaintableException(content.Path, program, exception.Message.TrimEnd('.'));
        }
    }

    private FoundText? Shown(string program, string keyword) => Text(keyword) is { } text
        ? new FoundText(new PictureText(program, keyword, text), null) : null;

    private string? Text(string keyword)
    {
        if (content.Texts.TryGetValue(keyword, out string? text)) return text;
        foreach ((string key, string value) in content.Texts) if (key.Equals(keyword, StringComparison.OrdinalIgnoreCase)) return value;
        return null;
    }

    private static string? Behind(string text, string mark) => text.StartsWith(mark, StringComparison.Ordinal) ? text[mark.Length..] : text;

    private static bool Has(JsonElement json, string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out _);

    // Parses an object or a list; null for anything else and for a text that is too long.
    private static JsonElement? Json(string? text)
    {
        if (text is null || text.Length > ParametersText.Longest || text.AsSpan().TrimStart() is not ['{' or '[', ..]) return null;
        return TryParse(text) ?? (text.Contains("NaN", StringComparison.Ordinal) ? TryParse(WithoutNaN(text)) : null);
    }

    // Python writes NaN instead of a number, which is not valid JSON, and ComfyUI keeps it.
    private static string WithoutNaN(string text) =>
        text.Replace(": NaN", ": null", StringComparison.Ordinal).Replace("[NaN", "[null", StringComparison.Ordinal)
            .Replace(", NaN", ", null", StringComparison.Ordinal);

    private static JsonElement? TryParse(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(JsonEscapes.ReplaceUnpaired(text));
            return document.RootElement.Clone();
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)
        {
            return null;
        }
    }
}

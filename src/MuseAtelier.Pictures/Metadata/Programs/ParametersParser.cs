using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Reads AUTOMATIC1111's text: prompt, negative prompt, and the settings in the last line that begins with "Steps: ". Other programs write
/// it too, and name themselves under "Version".
/// </summary>
internal sealed class ParametersParser(string path)
{
    private const string FirstSetting = "Steps: ";
    private const string NegativeMark = "Negative prompt:";

    public ParsedParameters Parse(string text)
    {
        if (text.Length > ParametersText.Longest) throw new PictureTextTooLongException(path, text.Length, ParametersText.Longest);
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        int last = Array.FindLastIndex(lines, line => line.StartsWith(FirstSetting, StringComparison.Ordinal));
        if (last < 0) throw new ParametersTextException(path, $"no line begins with '{FirstSetting.Trim()}'");
        Dictionary<string, string> settings = ReadSettings(lines[last]);
        var draft = new RequestDraft(Program(settings));
        (draft.Prompt, draft.Negative) = SplitPrompts(lines.AsSpan(0, last));
        for (int i = last + 1; i < lines.Length; i++) if (lines[i].Trim().Length > 0) draft.Skip(lines[i].Trim());
        draft.ModelName = settings.TryGetValue("Model", out string? model) ? SamplerNames.Model(model) : null;
        draft.ModelHash = settings.GetValueOrDefault("Model hash");
        var taker = new A1111Settings(draft, new SettingValues(path), settings);
        foreach ((string name, string value) in settings) taker.Take(name, value);
        taker.Finish();
        return draft.Finish();
    }

    /// <summary>Whether a text has this form.</summary>
    public static bool Knows(string text) => text.StartsWith(FirstSetting, StringComparison.Ordinal)
        || text.Contains('\n' + FirstSetting, StringComparison.Ordinal);

    /// <summary>The program that wrote a text of this form.</summary>
    public static string ProgramOf(string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        int last = Array.FindLastIndex(lines, line => line.StartsWith(FirstSetting, StringComparison.Ordinal));
        return last < 0 ? Programs.Automatic1111 : Program(ReadSettings(lines[last]));
    }

    /// <summary>
    /// The fields of a text by AUTOMATIC1111's names, the prompts among them, as they stand; none for a text of another form.
    /// </summary>
    public static IReadOnlyDictionary<string, string> FieldsOf(string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        int last = Array.FindLastIndex(lines, line => line.StartsWith(FirstSetting, StringComparison.Ordinal));
        if (last < 0) return new Dictionary<string, string>();
        Dictionary<string, string> fields = ReadSettings(lines[last]);
        (fields["Prompt"], fields["Negative prompt"]) = SplitPrompts(lines.AsSpan(0, last));
        return fields;
    }

    private static string Program(Dictionary<string, string> settings)
    {
        string version = settings.GetValueOrDefault("Version", "");
        string app = settings.GetValueOrDefault("App", "");
        if (version.StartsWith("MuseAtelier ", StringComparison.Ordinal)) return Programs.MuseAtelier;
        if (version.StartsWith("stable-diffusion.cpp", StringComparison.Ordinal)) return Programs.StableDiffusionCpp;
        if (version.StartsWith("Fooocus", StringComparison.Ordinal)) return Programs.Fooocus;
        if (version.StartsWith("ComfyUI", StringComparison.OrdinalIgnoreCase)) return Programs.ComfyUi;
        if (app.StartsWith("SD.Next", StringComparison.OrdinalIgnoreCase)) return Programs.SdNext;
        // Forge puts its own version before AUTOMATIC1111's: "f2.0.1v1.10.1". Its branches name themselves.
        bool isForge = version.Length > 1 && version[0] == 'f' && char.IsAsciiDigit(version[1])
            || version.StartsWith("neo", StringComparison.Ordinal) || version.StartsWith("classic", StringComparison.Ordinal);
        return isForge ? Programs.Forge : Programs.Automatic1111;
    }

    private static (string Prompt, string Negative) SplitPrompts(ReadOnlySpan<string> lines)
    {
        int mark = -1;
        for (int i = 0; i < lines.Length && mark < 0; i++) if (lines[i].StartsWith(NegativeMark, StringComparison.Ordinal)) mark = i;
        if (mark < 0) return (Join(lines), "");
        string[] negative = lines[mark..].ToArray();
        negative[0] = negative[0][NegativeMark.Length..];
        return (Join(lines[..mark]), Join(negative));
    }

    private static string Join(ReadOnlySpan<string> lines) => string.Join('\n', lines!).Trim();

    // Reads "name: value, name: "quoted, value", name: {"json": "value, too"}, ...". This is not a regular expression, because a hostile
    // text could make one take very long.
    private static Dictionary<string, string> ReadSettings(string line)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        bool mayNest = true;
        for (int at = 0; at < line.Length;)
        {
            int colon = line.IndexOf(':', at);
            if (colon < 0) break;
            string name = line[at..colon].Trim();
            int start = colon + 1;
            while (start < line.Length && line[start] == ' ') start++;
            char first = start < line.Length ? line[start] : ' ';
            bool nests = first is '{' or '[' && mayNest;
            int end = first == '"' ? QuotedEnd(line, start) : nests ? NestedEnd(line, start) : -1;
            // If one bracket never closes, no later one is searched, so that the time stays linear.
            mayNest &= !nests || end > 0;
            string? value = end < 0 ? null : nests ? line[start..end] : Unquote(line[start..end]);
            if (value is null)
            {
                end = line.IndexOf(',', start);
                if (end < 0) end = line.Length;
                value = line[start..end].Trim();
            }

            settings.TryAdd(name, value);
            int comma = line.IndexOf(',', end);
            at = comma < 0 ? line.Length : comma + 1;
        }

        return settings;
    }

    private static int QuotedEnd(string line, int start)
    {
        for (int i = start + 1; i < line.Length; i++)
        {
            if (line[i] == '\\') i++;
            else if (line[i] == '"') return i + 1;
        }

        return -1;
    }

    private static int NestedEnd(string line, int start)
    {
        int depth = 0;
        for (int i = start; i < line.Length; i++)
        {
            if (line[i] is '{' or '[') depth++;
            else if (line[i] is '}' or ']' && --depth == 0) return i + 1;
            else if (line[i] == '"' && (i = QuotedEnd(line, i) - 1) < 0) return -1;
        }

        return -1;
    }

    private static string? Unquote(string quoted)
    {
        try
        {
            return JsonSerializer.Deserialize(quoted, ParametersJson.Default.String);
        }
        // ArgumentException and InvalidOperationException mean text or escapes that are not valid Unicode.
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class ParametersJson : System.Text.Json.Serialization.JsonSerializerContext;

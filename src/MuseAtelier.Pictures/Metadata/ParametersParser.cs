using System.Globalization;
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

    private const int DefaultSide = 1024;
    private const int LongestQuote = 40;

    // Settings of other programs that do not affect an SDXL picture of this engine.
    private static readonly HashSet<string> WithoutEffect =
        ["Version", "Hashes", "Model hash", "Model", "User", "Created Date", "Civitai metadata", "App", "Parser", "Pipeline"];

    // stable-diffusion.cpp writes these settings for every model. They do not affect SDXL with Euler ancestral.
    private static readonly HashSet<string> WithoutEffectInCpp = ["Guidance", "Eta"];

    public ParsedParameters Parse(string text)
    {
        if (text.Length > ParametersText.Longest) throw new PictureTextTooLongException(path, text.Length, ParametersText.Longest);
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        int last = Array.FindLastIndex(lines, line => line.StartsWith(FirstSetting, StringComparison.Ordinal));
        if (last < 0) throw new ParametersTextException(path, $"no line begins with '{FirstSetting.Trim()}'");
        Dictionary<string, string> settings = ReadSettings(lines[last]);
        string program = Program(settings);
        var draft = new RequestDraft(program);
        (draft.Prompt, draft.Negative) = SplitPrompts(lines.AsSpan(0, last));
        for (int i = last + 1; i < lines.Length; i++) if (lines[i].Trim().Length > 0) draft.Skip(lines[i].Trim());
        // The defaults of the program that wrote the text.
        bool isComfy = program is Programs.Fooocus or Programs.ComfyUi or Programs.SwarmUi;
        draft.Noise = isComfy ? NoiseSource.Comfy : NoiseSource.A1111;
        draft.EmptyNegative = isComfy || program == Programs.MuseAtelier ? EmptyNegative.Encoded : EmptyNegative.Zeros;
        draft.ModelName = settings.TryGetValue("Model", out string? model) ? SamplerNames.Model(model) : null;
        draft.ModelHash = settings.GetValueOrDefault("Model hash");
        foreach ((string name, string value) in settings) Take(draft, program, name, value);
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

    private static string Program(Dictionary<string, string> settings)
    {
        string version = settings.GetValueOrDefault("Version", "");
        string app = settings.GetValueOrDefault("App", "");
        if (version.StartsWith("MuseAtelier ", StringComparison.Ordinal)) return Programs.MuseAtelier;
        if (version.StartsWith("stable-diffusion.cpp", StringComparison.Ordinal)) return Programs.StableDiffusionCpp;
        if (version.StartsWith("Fooocus", StringComparison.Ordinal)) return Programs.Fooocus;
        if (version.StartsWith("ComfyUI", StringComparison.OrdinalIgnoreCase)) return Programs.ComfyUi;
        if (app.StartsWith("SD.Next", StringComparison.OrdinalIgnoreCase)) return Programs.SdNext;
        // Forge puts its own version before AUTOMATIC1111's: "f2.0.1v1.10.1".
        bool isForge = version.Length > 1 && version[0] == 'f' && char.IsAsciiDigit(version[1])
            || version.StartsWith("neo", StringComparison.Ordinal);
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

    private void Take(RequestDraft draft, string program, string name, string value)
    {
        switch (name)
        {
            case "Steps":
                draft.Steps = Whole<int>(name, value);
                break;
            case "Sampler":
                draft.TakeSampler(name, value);
                break;
            case "Schedule type":
                draft.TakeSchedule(name, value);
                break;
            case "CFG scale":
                draft.Guidance = Number(name, value);
                break;
            case "Seed":
                draft.Seed = Whole<ulong>(name, value);
                break;
            case "Size":
                (draft.Width, draft.Height) = Pair(name, value);
                break;
            case "RNG":
                TakeNoise(draft, name, value);
                break;
            case "Clip skip":
                draft.TakeClipSkip(name, value);
                break;
            default:
                if (!TakeOwn(draft, name, value) && !WithoutEffect.Contains(name)
                    && !(program == Programs.StableDiffusionCpp && WithoutEffectInCpp.Contains(name))) draft.Skip(name, value);
                break;
        }
    }

    // The names of AUTOMATIC1111 and of stable-diffusion.cpp, whose "cuda" is CUDA's generator, computed on the processor.
    private static void TakeNoise(RequestDraft draft, string name, string value)
    {
        if (value is "CPU" or "cpu") draft.Noise = NoiseSource.Diffusers;
        else if (value is "GPU" or "NV" or "cuda") draft.Noise = NoiseSource.A1111;
        else draft.Skip($"{name}: {value} (these random numbers are not available; AUTOMATIC1111's are used)");
    }

    // The settings that AUTOMATIC1111 does not have, under the names of this project.
    private bool TakeOwn(RequestDraft draft, string name, string value)
    {
        switch (name)
        {
            case "Noise source" when value == "comfy":
                draft.Noise = NoiseSource.Comfy;
                return true;
            case "Timestep spacing" when ScheduleNames.OfId(value) is { } spacing:
                draft.Spacing = spacing;
                return true;
            case "Prompt syntax" when value is "a1111" or "comfy":
                draft.PromptSyntax = value == "comfy" ? PromptSyntax.Comfy : PromptSyntax.A1111;
                return true;
            case "Empty negative" when value is "zeros" or "encoded":
                draft.EmptyNegative = value == "zeros" ? EmptyNegative.Zeros : EmptyNegative.Encoded;
                return true;
            case "Original size":
                draft.Conditioning = Conditioning(draft) with
                {
                    OriginalWidth = Pair(name, value).First,
                    OriginalHeight = Pair(name, value).Second,
                };
                return true;
            case "Crop":
                draft.Conditioning = Conditioning(draft) with { CropLeft = Pair(name, value).First, CropTop = Pair(name, value).Second };
                return true;
            case "Target size":
                draft.Conditioning = Conditioning(draft) with
                {
                    TargetWidth = Pair(name, value).First,
                    TargetHeight = Pair(name, value).Second,
                };
                return true;
            case "Frame":
                string[] words = value.Split(' ');
                if (words.Length != 2 || !Named(words[0], out FrameStyle style) || !Named(words[1], out FramePlacement placement))
                    return false;
                draft.Frame = new PictureFrame(style, placement);
                return true;
            default:
                return false;
        }
    }

    private static MicroConditioning Conditioning(RequestDraft draft)
    {
        int width = draft.Width ?? DefaultSide;
        int height = draft.Height ?? DefaultSide;
        return draft.Conditioning ?? new MicroConditioning(width, height, 0, 0, width, height);
    }

    // Accepts names only, because TryParse also reads numbers.
    private static bool Named<T>(string word, out T value) where T : struct, Enum =>
        Enum.TryParse(word, ignoreCase: true, out value) && char.IsAsciiLetter(word[0]) && Enum.IsDefined(value);

    private T Whole<T>(string name, string value) where T : struct, System.Numerics.INumber<T> =>
        T.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T number) ? number : throw Bad(name, value);

    private float Number(string name, string value) =>
        float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number) ? number
            : throw Bad(name, value);

    private (int First, int Second) Pair(string name, string value)
    {
        string[] parts = value.Split('x');
        return parts.Length == 2 ? (Whole<int>(name, parts[0]), Whole<int>(name, parts[1])) : throw Bad(name, value);
    }

    private ParametersTextException Bad(string name, string value)
    {
        string quote = value.Length <= LongestQuote ? value : value[..LongestQuote] + "…";
        return new ParametersTextException(path, $"{name} is '{quote}'");
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class ParametersJson : System.Text.Json.Serialization.JsonSerializerContext;

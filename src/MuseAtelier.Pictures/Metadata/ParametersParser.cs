using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Reads AUTOMATIC1111's text: prompt, negative prompt, and settings behind the last line break before "Steps: ".</summary>
internal sealed partial class ParametersParser(string path)
{
    private const string FirstSetting = "Steps: ", NegativeMark = "Negative prompt:";

    // What other programs write and what has no bearing on an SDXL picture of this engine: no need to trouble anyone with it.
    private static readonly HashSet<string> WithoutEffect = ["Version", "Hashes", "Clip skip", "Model hash", "Model", "User", "Created Date", "Civitai metadata"];

    private readonly List<string> _notTaken = [];

    public ParsedParameters Parse(string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        int last = Array.FindLastIndex(lines, line => line.StartsWith(FirstSetting, StringComparison.Ordinal));
        if (last < 0) throw new ParametersTextException(path, $"no line begins with '{FirstSetting.Trim()}'");
        for (int i = last + 1; i < lines.Length; i++) if (lines[i].Trim().Length > 0) _notTaken.Add(lines[i].Trim());
        (string prompt, string negative) = SplitPrompts(lines.AsSpan(0, last));
        Dictionary<string, string> settings = ReadSettings(lines[last]);
        PictureRequest request = Apply(settings, new PictureRequest
        {
            Prompt = prompt,
            NegativePrompt = negative,
            // What the text's author has where the text is silent.
            NoiseSource = NoiseSource.A1111,
            Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Linspace },
        });
        if (Weights().IsMatch(prompt) || Weights().IsMatch(negative)) _notTaken.Add("weights and networks in the prompt, such as (word:1.2) or <lora:name:1>: they are read as plain words");
        return new ParsedParameters(request, settings.GetValueOrDefault("Model"), settings.GetValueOrDefault("Model hash"), _notTaken);
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

    // "name: value, name: "quoted, value", name: {"json": "value, too"}, ...": written out, as a pattern over text of any length could be made to crawl.
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
            // Where one bracket never closes, the rest is not searched again for each that follows.
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
        catch (JsonException)
        {
            return null;
        }
    }

    private PictureRequest Apply(Dictionary<string, string> settings, PictureRequest request)
    {
        foreach ((string name, string value) in settings)
        {
            request = name switch
            {
                "Steps" => request with { Steps = Whole<int>(name, value) },
                "Sampler" => TakeSampler(request, value),
                "Schedule type" => TakeSchedule(request, value),
                "CFG scale" => request with { GuidanceScale = Number(name, value) },
                "Seed" => request with { Seed = Whole<ulong>(name, value) },
                "Size" => request with { Width = Pair(name, value).First, Height = Pair(name, value).Second },
                "RNG" => value is "CPU" or "GPU" or "NV" ? request with { NoiseSource = value == "CPU" ? NoiseSource.Diffusers : NoiseSource.A1111 } : Skip(request, name, value),
                "Noise source" => value == "comfy" ? request with { NoiseSource = NoiseSource.Comfy } : Skip(request, name, value),
                "Timestep spacing" => TakeSpacing(request, value),
                "Empty negative" => value == "zeros" ? request with { EmptyNegative = EmptyNegative.Zeros } : Skip(request, name, value),
                "Original size" => request with { Conditioning = Conditioning(request) with { OriginalWidth = Pair(name, value).First, OriginalHeight = Pair(name, value).Second } },
                "Crop" => request with { Conditioning = Conditioning(request) with { CropLeft = Pair(name, value).First, CropTop = Pair(name, value).Second } },
                "Target size" => request with { Conditioning = Conditioning(request) with { TargetWidth = Pair(name, value).First, TargetHeight = Pair(name, value).Second } },
                "Frame" => TakeFrame(request, value),
                _ => WithoutEffect.Contains(name) ? request : Skip(request, name, value),
            };
        }

        return request;
    }

    private PictureRequest TakeSampler(PictureRequest request, string value)
    {
        // Older versions wrote the schedule behind the sampler.
        const string karras = " Karras";
        bool isKarras = value.EndsWith(karras, StringComparison.Ordinal);
        string sampler = isKarras ? value[..^karras.Length] : value;
        if (sampler is not ("Euler a" or "Euler ancestral")) _notTaken.Add($"Sampler: {value} (Euler a is what paints here)");
        return isKarras ? request with { Schedule = request.Schedule with { Karras = true } } : request;
    }

    private PictureRequest TakeSchedule(PictureRequest request, string value) => value switch
    {
        "Karras" => request with { Schedule = request.Schedule with { Karras = true } },
        "Automatic" or "Normal" => request,
        _ => Skip(request, "Schedule type", value),
    };

    private PictureRequest TakeSpacing(PictureRequest request, string value) => value switch
    {
        "leading" => request with { Schedule = request.Schedule with { Spacing = TimestepSpacing.Leading } },
        "trailing" => request with { Schedule = request.Schedule with { Spacing = TimestepSpacing.Trailing } },
        _ => Skip(request, "Timestep spacing", value),
    };

    private PictureRequest TakeFrame(PictureRequest request, string value)
    {
        string[] words = value.Split(' ');
        return words.Length == 2 && Named(words[0], out FrameStyle style) && Named(words[1], out FramePlacement placement)
            ? request with { Frame = new PictureFrame(style, placement) }
            : Skip(request, "Frame", value);
    }

    private PictureRequest Skip(PictureRequest request, string name, string value)
    {
        _notTaken.Add($"{name}: {value}");
        return request;
    }

    private static MicroConditioning Conditioning(PictureRequest request) => request.Conditioning ?? new MicroConditioning(request.Width, request.Height, 0, 0, request.Width, request.Height);

    // Names only: a number would be taken for the value that it stands for.
    private static bool Named<T>(string word, out T value) where T : struct, Enum => Enum.TryParse(word, ignoreCase: true, out value) && char.IsAsciiLetter(word[0]) && Enum.IsDefined(value);

    private T Whole<T>(string name, string value) where T : struct, System.Numerics.INumber<T> =>
        T.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T number) ? number : throw Bad(name, value);

    private float Number(string name, string value) =>
        float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) ? number : throw Bad(name, value);

    private (int First, int Second) Pair(string name, string value)
    {
        string[] parts = value.Split('x');
        return parts.Length == 2 ? (Whole<int>(name, parts[0]), Whole<int>(name, parts[1])) : throw Bad(name, value);
    }

    private ParametersTextException Bad(string name, string value) => new(path, $"{name} is '{(value.Length <= 40 ? value : value[..40] + "…")}'");

    // An open bracket and, somewhere behind a colon, a number; or a network by name.
    [GeneratedRegex(@"[(\[][^()\[\]]*:\s*\d|<(lora|lyco|hypernet):", RegexOptions.CultureInvariant)]
    private static partial Regex Weights();
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class ParametersJson : System.Text.Json.Serialization.JsonSerializerContext;

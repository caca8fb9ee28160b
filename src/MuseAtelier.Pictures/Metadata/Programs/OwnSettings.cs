using System.Globalization;
using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The settings in texts of AUTOMATIC1111's form that AUTOMATIC1111 does not have, under the names of this project.
/// </summary>
/// <param name="values">Reads values.</param>
internal sealed class OwnSettings(SettingValues values)
{
    public const string
        CommaBacktrack = "Comma backtrack",
        Crop = "Crop",
        Dialect = "Dialect",
        EmptyNegative = "Empty negative",
        Frame = "Frame",
        GuidanceFrom = "Guidance from",
        GuidanceTo = "Guidance to",
        HiresLoras = "Hires loras",
        HiresSpacing = "Hires timestep spacing",
        HiresStrength = "Hires strength",
        Loras = "Loras",
        NoiseSource = "Noise source",
        OriginalSize = "Original size",
        PasteBack = "Paste back",
        Prediction = "Prediction",
        PromptSyntax = "Prompt syntax",
        SourceExtend = "Source extend",
        SourceFit = "Source fit",
        TargetSize = "Target size",
        Timesteps = "Timesteps",
        TimestepSpacing = "Timestep spacing";

    private const int DefaultSide = 1024;
    private const int MostTimesteps = 1000;

    /// <summary>The word for a member of an enumeration: as in records, in lower case with underscores.</summary>
    public static string WordOf<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>Takes a setting.</summary>
    /// <param name="draft">Receives the setting.</param>
    /// <param name="name">The setting's name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>Whether it is one of these settings with a value that can be read.</returns>
    /// <exception cref="ParametersTextException">A size cannot be read.</exception>
    public bool Take(RequestDraft draft, string name, string value) =>
        TakeWord(draft, name, value) || TakeNumber(draft, name, value) || TakeSize(draft, name, value);

    private static bool TakeWord(RequestDraft draft, string name, string value)
    {
        switch (name)
        {
            case NoiseSource when NoiseSourceNames.Find(value) is { } source:
                draft.Noise = source;
                return true;
            case TimestepSpacing when ScheduleNames.OfId(value) is { } spacing:
                draft.Spacing = spacing;
                return true;
            case PromptSyntax when Named(value, out MuseAtelier.PromptSyntax syntax):
                draft.PromptSyntax = syntax;
                return true;
            case EmptyNegative when Named(value, out MuseAtelier.EmptyNegative negative):
                draft.EmptyNegative = negative;
                return true;
            case Dialect when Named(value, out SamplingDialect dialect):
                draft.Dialect = dialect;
                return true;
            case Prediction when Named(value, out ModelPrediction prediction):
                draft.Prediction = prediction;
                return true;
            case Loras when A1111Adapters.TakeTags(draft, value):
                draft.SkipWithoutLoras(name, value);
                return true;
            case Frame:
                string[] words = value.Split(' ');
                bool isFrame = words.Length == 2 & Named(words[0], out FrameStyle style) & Named(words[^1], out FramePlacement placement);
                if (isFrame) draft.Frame = new PictureFrame(style, placement);
                return isFrame;
            default:
                return false;
        }
    }

    private static bool TakeNumber(RequestDraft draft, string name, string value)
    {
        switch (name)
        {
            case CommaBacktrack when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int backtrack):
                draft.CommaBacktrack = backtrack;
                return true;
            case GuidanceFrom:
                draft.TakeNumber(name, value, 1, share => draft.GuidanceFrom = share);
                return true;
            case GuidanceTo:
                draft.TakeNumber(name, value, 1, share => draft.GuidanceTo = share);
                return true;
            case Timesteps when ReadTimesteps(value) is { } timesteps:
                draft.Timesteps = timesteps;
                return true;
            default:
                return false;
        }
    }

    private bool TakeSize(RequestDraft draft, string name, string value)
    {
        if (name is not (OriginalSize or Crop or TargetSize)) return false;
        (int first, int second) = values.Pair(name, value);
        MicroConditioning known = Known(draft);
        draft.Conditioning = name switch
        {
            OriginalSize => known with { OriginalWidth = first, OriginalHeight = second },
            Crop => known with { CropLeft = first, CropTop = second },
            _ => known with { TargetWidth = first, TargetHeight = second },
        };
        return true;
    }

    private static MicroConditioning Known(RequestDraft draft)
    {
        int width = draft.Width ?? DefaultSide;
        int height = draft.Height ?? DefaultSide;
        return draft.Conditioning ?? new MicroConditioning(width, height, 0, 0, width, height);
    }

    private static TimestepList? ReadTimesteps(string value)
    {
        string[] parts = value.Split(' ', MostTimesteps + 1, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length > MostTimesteps) return null;
        int[] timesteps = new int[parts.Length];
        for (int i = 0; i < parts.Length; i++)
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out timesteps[i])) return null;
        try
        {
            return new TimestepList(timesteps);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool Named<T>(string word, out T value) where T : struct, Enum
    {
        foreach (T one in Enum.GetValues<T>())
        {
            value = one;
            if (WordOf(one).Equals(word, StringComparison.OrdinalIgnoreCase)) return true;
        }

        value = default;
        return false;
    }
}

using System.Text.Json;
using MuseAtelier.Format;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Clients;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>
/// Reads options by their names in AUTOMATIC1111. Options that change no picture here are ignored, such as those of its web page.
/// </summary>
internal static class OptionReader
{
    private static readonly string[] NoiseSources = ["GPU", "CPU", "NV"];

    private static readonly string[] Emphases = ["Original", "No norm", "None"];

    private static readonly string[] NoiseSchedules = ["Default", "Zero Terminal SNR"];

    private static readonly (string Word, PictureFormat Format)[] Formats =
        [("png", PictureFormat.Png), ("jpg", PictureFormat.Jpeg), ("jpeg", PictureFormat.Jpeg), ("webp", PictureFormat.WebP)];

    /// <summary>Options in which those that a client names have its values.</summary>
    /// <param name="options">The options so far.</param>
    /// <param name="fields">What the client sets.</param>
    /// <exception cref="ServerRequestException">An option has no such value, or the server cannot do what it asks.</exception>
    public static RememberedOptions Read(RememberedOptions options, ClientFields fields)
    {
        foreach (FixedOption option in FixedOption.All) option.Check(fields);
        return options with
        {
            ClipSkip = (int?)fields.Whole("CLIP_stop_at_last_layers", 1, ConditioningNames.MostClipSkip) ?? options.ClipSkip,
            NoiseSource = Word(fields, "randn_source", NoiseSources) ?? options.NoiseSource,
            Emphasis = Word(fields, "emphasis", Emphases) ?? options.Emphasis,
            CommaBacktrack =
                (int?)fields.Whole("comma_padding_backtrack", 0, RequestRules.MostCommaBacktrack) ?? options.CommaBacktrack,
            EtaAncestral = fields.Number("eta_ancestral", 0, 1) ?? options.EtaAncestral,
            EtaDdim = fields.Number("eta_ddim", 0, 1) ?? options.EtaDdim,
            NoiseSchedule = Word(fields, "sd_noise_schedule", NoiseSchedules) ?? options.NoiseSchedule,
            SkippedGuidance = fields.Number("skip_early_cond", 0, 1) ?? options.SkippedGuidance,
            Format = FormatOf(fields) ?? options.Format,
            Quality = (int?)fields.Whole("jpeg_quality", 1, 100) ?? options.Quality,
        };
    }

    /// <summary>A format's word in AUTOMATIC1111.</summary>
    public static string WordOf(PictureFormat format) => Array.Find(Formats, known => known.Format == format).Word;

    private static PictureFormat? FormatOf(ClientFields fields)
    {
        const string name = "samples_format";
        if (fields.Text(name) is not { } text) return null;
        foreach ((string word, PictureFormat format) in Formats)
            if (word.Equals(text, StringComparison.OrdinalIgnoreCase)) return format;
        throw fields.Bad(name, fields.Find(name)!.Value, "png, jpg or webp");
    }

    private static string? Word(ClientFields fields, string name, string[] words)
    {
        if (fields.Text(name) is not { } text) return null;
        string? word = Array.Find(words, known => known.Equals(text, StringComparison.OrdinalIgnoreCase));
        return word ?? throw fields.NotSupported(
            name, $"this server has {string.Join(", ", words)}, not {ClientFields.Quote(fields.Find(name)!.Value)}. Choose one of these.");
    }
}

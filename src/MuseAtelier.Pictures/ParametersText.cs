using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pictures;

/// <summary>
/// The text in which AUTOMATIC1111's web interface records how a picture was made: prompt, negative prompt and one line of settings. Most
/// programs and sites read it. Settings that AUTOMATIC1111 does not have follow its own settings, under names of this project.
/// </summary>
public static class ParametersText
{
    /// <summary>The keyword under which PNG files carry the text.</summary>
    public const string Keyword = "parameters";

    /// <summary>Number of digits of the checkpoint's SHA-256 in the text.</summary>
    public const int ShortDigest = 10;

    /// <summary>The largest number of characters of a text that is read.</summary>
    public const int Longest = 4 << 20;

    private static readonly JsonSerializerOptions Quoting = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Reads a text of this form from any program. Settings that cannot be painted here are named, never guessed.
    /// <see cref="PictureTexts.Parse"/> also reads texts of other forms, and knows the picture's size.
    /// </summary>
    /// <param name="path">Path of the picture that carries it, for messages.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="ParametersTextException">It has another form.</exception>
    /// <exception cref="PictureTextTooLongException">It has more than <see cref="Longest"/> characters.</exception>
    public static ParsedParameters Parse(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new ParametersParser(path).Parse(text);
    }

    /// <summary>Writes the text.</summary>
    /// <param name="request">The request that was painted.</param>
    /// <param name="modelName">The model that painted it.</param>
    /// <param name="modelSha256">SHA-256 of its checkpoint, lower-case hex.</param>
    /// <param name="software">Name and version of the program.</param>
    public static string Write(PictureRequest request, string modelName, string modelSha256, string software)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(modelSha256);
        var text = new StringBuilder(request.Prompt).Append('\n');
        if (request.NegativePrompt.Length > 0) text.Append("Negative prompt: ").Append(request.NegativePrompt).Append('\n');
        IEnumerable<(string Name, string Value)> settings = Settings(request, modelName, modelSha256, software);
        text.AppendJoin(", ", settings.Select(setting => $"{setting.Name}: {Quote(setting.Value)}"));
        return text.ToString();
    }

    private static IEnumerable<(string Name, string Value)> Settings(
        PictureRequest request, string modelName, string modelSha256, string software)
    {
        yield return ("Steps", Number(request.Steps));
        yield return ("Sampler", SamplerCatalog.BuiltIn.DisplayName(request.Sampler));
        string? label = ScheduleNames.LabelOf(request.Schedule.Spacing);
        yield return ("Schedule type", request.Schedule.Karras ? "Karras" : label ?? "Automatic");
        yield return ("CFG scale", request.GuidanceScale.ToString(CultureInfo.InvariantCulture));
        yield return ("Seed", request.Seed.ToString(CultureInfo.InvariantCulture));
        yield return ("Size", $"{Number(request.Width)}x{Number(request.Height)}");
        if (modelSha256.Length >= ShortDigest) yield return ("Model hash", modelSha256[..ShortDigest]);
        yield return ("Model", modelName);
        yield return Noise(request.NoiseSource);
        bool isNamed = label is not null && !request.Schedule.Karras;
        if (!isNamed && request.Schedule.Spacing != TimestepSpacing.Linspace)
            yield return ("Timestep spacing", ScheduleNames.IdOf(request.Schedule.Spacing));
        if (request.PromptSyntax != PromptSyntax.Plain) yield return ("Prompt syntax", Lower(request.PromptSyntax));
        if (request.EmptyNegative == EmptyNegative.Zeros) yield return ("Empty negative", "zeros");
        if (request.Conditioning is { } size)
        {
            yield return ("Original size", $"{Number(size.OriginalWidth)}x{Number(size.OriginalHeight)}");
            yield return ("Crop", $"{Number(size.CropLeft)}x{Number(size.CropTop)}");
            yield return ("Target size", $"{Number(size.TargetWidth)}x{Number(size.TargetHeight)}");
        }

        if (request.Frame is { } frame) yield return ("Frame", $"{Lower(frame.Style)} {Lower(frame.Placement)}");
        yield return ("Version", software);
    }

    // AUTOMATIC1111 has names for two noise sources, and none for the others.
    private static (string Name, string Value) Noise(NoiseSource source)
    {
        if (source == NoiseSource.Diffusers || source == NoiseSource.A1111Cpu) return ("RNG", "CPU");
        if (source == NoiseSource.A1111) return ("RNG", "NV");
        return ("Noise source", source.Id.ToLowerInvariant());
    }

    private static string Lower<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    // Quotes values as AUTOMATIC1111 does, if they have a character that would end the setting early.
    private static string Quote(string value) =>
        value.AsSpan().IndexOfAny(",:\n") < 0 ? value : JsonSerializer.Serialize(value, Quoting);
}

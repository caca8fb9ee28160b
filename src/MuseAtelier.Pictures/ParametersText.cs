using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MuseAtelier.Conditioning;
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
    internal const string Keyword = "parameters";

    /// <summary>Number of digits of the checkpoint's SHA-256 in the text.</summary>
    public const int ShortDigest = 10;

    /// <summary>The largest number of characters of a text that is read.</summary>
    internal const int Longest = 4 << 20;

    // A token has at least one byte, and a chunk 75 tokens.
    private const int BytesOfOneChunk = 75;

    private static readonly PictureRequest Defaults = new() { Prompt = "" };

    private static readonly TextsJson Quoting = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>
    /// Reads a text of this form from any program. Settings that cannot be painted here are named, never guessed.
    /// <see cref="PictureTexts.Parse"/> also reads texts of other forms, and knows the picture's size.
    /// </summary>
    /// <param name="path">Path of the picture that carries it, for messages.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="ParametersTextException">It has another form.</exception>
    /// <exception cref="PictureTextTooLongException">It has more than 4,194,304 characters.</exception>
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
    public static string Write(PictureRequest request, string modelName, string modelSha256, string software) =>
        Write(request, [], new NamedModel(modelName, modelSha256, null), software);

    /// <summary>Writes the text of a picture, which also names its LoRAs, its embeddings and a VAE in a file of its own.</summary>
    /// <param name="picture">The picture.</param>
    public static string Write(Picture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        return Write(
            RecordedAdapters.RequestOf(picture),
            RecordedAdapters.EmbeddingsOf(picture) ?? [],
            NamedModel.Of(picture.Model),
            MetadataTexts.Name(picture.Provenance.Engine));
    }

    /// <summary>Writes the text of a recorded picture, as it was when the picture was written.</summary>
    /// <param name="record">The picture's record.</param>
    public static string Write(PictureRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return Write(record.Request, record.Embeddings ?? [], NamedModel.Of(record.Model), MetadataTexts.Name(record.Engine.Version));
    }

    /// <summary>Writes the text.</summary>
    /// <param name="request">The request that was painted.</param>
    /// <param name="embeddings">The embeddings that its prompts named.</param>
    /// <param name="model">The model that painted it.</param>
    /// <param name="software">Name and version of the program.</param>
    internal static string Write(
        PictureRequest request, IReadOnlyList<UsedEmbedding> embeddings, NamedModel model, string software)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(model.Sha256);
        // Without comments, as AUTOMATIC1111 writes prompts: tags behind a comment would be part of it.
        string prompt = PromptComments.Strip(request.Prompt, request.PromptSyntax);
        string negative = PromptComments.Strip(request.NegativePrompt, request.PromptSyntax);
        var text = new StringBuilder(prompt).Append(A1111Adapters.TagsOf(request)).Append('\n');
        if (negative.Length > 0) text.Append("Negative prompt: ").Append(negative).Append('\n');
        IEnumerable<(string Name, string Value)> settings = Settings(request, embeddings, model, software);
        text.AppendJoin(", ", settings.Select(setting => $"{setting.Name}: {Quote(setting.Value)}"));
        return text.ToString();
    }

    private static IEnumerable<(string Name, string Value)> Settings(
        PictureRequest request, IReadOnlyList<UsedEmbedding> embeddings, NamedModel model, string software)
    {
        yield return ("Steps", Number(request.Steps));
        yield return ("Sampler", SamplerCatalog.BuiltIn.DisplayName(request.Sampler));
        string? label = ScheduleNames.LabelOf(request.Schedule.Spacing);
        yield return ("Schedule type", request.Schedule.Karras ? "Karras" : label ?? "Automatic");
        yield return ("CFG scale", Number(request.GuidanceScale));
        yield return ("Seed", Number(request.Seed));
        yield return ("Size", Size(request.Width, request.Height));
        if (model.Sha256.Length >= ShortDigest) yield return ("Model hash", model.Sha256[..ShortDigest]);
        yield return ("Model", model.Name);
        // AUTOMATIC1111, modules/processing.py, create_infotext.
        if (model.Vae is { } vae)
        {
            yield return ("VAE hash", vae.Sha256[..ShortDigest]);
            yield return ("VAE", vae.Name);
        }

        foreach ((string, string) setting in FurtherSettings(request)) yield return setting;
        if (request.Source is { } source)
            foreach ((string, string) setting in A1111Source.SettingsOf(source)) yield return setting;
        foreach ((string, string) setting in A1111Hires.SettingsOf(request)) yield return setting;
        foreach ((string, string) setting in A1111Adapters.SettingsOf(request, embeddings)) yield return setting;
        foreach ((string, string) setting in OwnSettingsOf(request)) yield return setting;
        yield return ("Version", software);
    }

    // The settings that AUTOMATIC1111 or a program that extends it has, where they are not the usual ones.
    private static IEnumerable<(string Name, string Value)> FurtherSettings(PictureRequest request)
    {
        foreach ((string, string) setting in Noise(request.NoiseSource)) yield return setting;
        if (request.VariationStrength != 0)
        {
            yield return (A1111Settings.VariationSeed, Number(request.VariationSeed));
            yield return (A1111Settings.VariationStrength, Number(request.VariationStrength));
        }

        if (request.ClipSkip != Defaults.ClipSkip) yield return (A1111Settings.ClipSkip, Number(request.ClipSkip));
        string eta = request.Sampler == SamplerName.Ddim ? A1111Settings.EtaDdim : A1111Settings.Eta;
        if (request.Eta is { } strength) yield return (eta, Number(strength));
        if (request.Emphasis == PromptEmphasis.NoNorm) yield return (A1111Settings.Emphasis, A1111Settings.NoNorm);
        // Brackets are text in plain prompts, as in AUTOMATIC1111 with this setting.
        else if (request.PromptSyntax == PromptSyntax.Plain) yield return (A1111Settings.Emphasis, "None");
        // In this syntax, the shorter prompt is always padded with empty chunks.
        bool mayBePadded = request.PromptSyntax == PromptSyntax.A1111;
        mayBePadded &= MayTakeChunks(request.Prompt) || MayTakeChunks(request.NegativePrompt);
        if (mayBePadded) yield return (A1111Settings.PadConds, "True");
        bool isZeroSnr = request.Prediction == ModelPrediction.VelocityZeroSnr;
        if (isZeroSnr) yield return (A1111Settings.NoiseSchedule, A1111Settings.ZeroTerminalSnr);
        if (request.GuidanceRescale != 0) yield return (A1111Settings.CfgRescale, Number(request.GuidanceRescale));
    }

    private static IEnumerable<(string Name, string Value)> OwnSettingsOf(PictureRequest request)
    {
        TimestepSpacing spacing = request.Schedule.Spacing;
        bool isNamed = ScheduleNames.LabelOf(spacing) is not null && !request.Schedule.Karras;
        if (!isNamed && spacing != TimestepSpacing.Linspace) yield return (OwnSettings.TimestepSpacing, ScheduleNames.IdOf(spacing));
        if (request.Schedule.Timesteps is { } timesteps) yield return (OwnSettings.Timesteps, string.Join(' ', timesteps));
        bool isUnnamed = request.Dialect == RecordedRequest.UnnamedDialect(spacing);
        if (!isUnnamed) yield return (OwnSettings.Dialect, OwnSettings.WordOf(request.Dialect));
        bool isMarked = request.Prediction == ModelPrediction.Automatic;
        if (!isMarked) yield return (OwnSettings.Prediction, OwnSettings.WordOf(request.Prediction));
        if (request.GuidanceFrom != 0) yield return (OwnSettings.GuidanceFrom, Number(request.GuidanceFrom));
        if (request.GuidanceTo != 1) yield return (OwnSettings.GuidanceTo, Number(request.GuidanceTo));
        bool isPlain = request.PromptSyntax == PromptSyntax.Plain;
        if (!isPlain) yield return (OwnSettings.PromptSyntax, OwnSettings.WordOf(request.PromptSyntax));
        bool isUsual = request.CommaBacktrack == Defaults.CommaBacktrack;
        if (!isUsual) yield return (OwnSettings.CommaBacktrack, Number(request.CommaBacktrack));
        if (request.EmptyNegative == EmptyNegative.Zeros) yield return (OwnSettings.EmptyNegative, "zeros");
        if (request.Conditioning is { } size)
        {
            yield return (OwnSettings.OriginalSize, Size(size.OriginalWidth, size.OriginalHeight));
            yield return (OwnSettings.Crop, Size(size.CropLeft, size.CropTop));
            yield return (OwnSettings.TargetSize, Size(size.TargetWidth, size.TargetHeight));
        }

        if (request.Frame is { } frame)
            yield return (OwnSettings.Frame, $"{OwnSettings.WordOf(frame.Style)} {OwnSettings.WordOf(frame.Placement)}");
        if (A1111Adapters.OwnTagsOf(request) is { Length: > 0 } tags) yield return (OwnSettings.Loras, tags);
        if (A1111Adapters.OwnTagsOfSecondPass(request) is { Length: > 0 } later) yield return (OwnSettings.HiresLoras, later);
    }

    // Prompts of fewer bytes than a chunk has tokens take one chunk.
    private static bool MayTakeChunks(string prompt) =>
        Encoding.UTF8.GetByteCount(prompt) > BytesOfOneChunk || prompt.Contains("BREAK", StringComparison.Ordinal);

    // AUTOMATIC1111 has names for two generators. What else a source is has a name of this project.
    private static IEnumerable<(string Name, string Value)> Noise(NoiseSource source)
    {
        bool isOfCpu = source == NoiseSource.Diffusers || source == NoiseSource.A1111Cpu;
        if (isOfCpu) yield return ("RNG", "CPU");
        if (source == NoiseSource.A1111) yield return ("RNG", "NV");
        bool isNamed = source == NoiseSource.Diffusers || source == NoiseSource.A1111;
        if (!isNamed) yield return (OwnSettings.NoiseSource, source.Id.ToLowerInvariant());
    }

    private static string Size(int width, int height) => $"{Number(width)}x{Number(height)}";

    private static string Number<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    // Quotes values as AUTOMATIC1111 does, if they have a character that would end the setting early.
    private static string Quote(string value) =>
        value.AsSpan().IndexOfAny(",:\n") < 0 ? value : JsonSerializer.Serialize(value, Quoting.String);
}

using System.Globalization;
using System.Text.Json;
using MuseAtelier.Pictures;
using MuseAtelier.Sampling;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Requests;

/// <summary>Reads requests of the page's own API, as docs/http-api.md describes them. Every other way to name a value is refused.</summary>
/// <param name="limits">The limits.</param>
/// <param name="basisOf">The recorded request of a picture by its id; null if there is no such picture, or if it has no record.</param>
/// <param name="sources">Reads sources.</param>
/// <param name="hires">Reads second passes.</param>
/// <param name="loras">Reads LoRAs.</param>
internal sealed class RequestReader(
    ServerLimits limits, Func<string, PictureRequest?> basisOf, SourceFields sources, HiresFields hires, LoraFields loras)
{
    private const int LongestName = 256;

    private static readonly PictureRequest Defaults = new() { Prompt = "" };

    private static readonly string[] Known =
    [
        "prompt", "negativePrompt", "syntax", "width", "height", "steps", "guidance", "sampler", "schedule", "seed", "count", "frame",
        "model", "format", "quality", "clipSkip", "eta", "noise", "variationSeed", "variationStrength", "guidanceRescale", "basis",
        "source", "hires", LoraFieldNames.List,
    ];

    /// <summary>Reads a request. A source may have to be decoded, which takes some hundred milliseconds for a large one.</summary>
    /// <param name="body">The JSON.</param>
    /// <exception cref="ServerRequestException">A field is not known, or its value is refused.</exception>
    public JobRequest Read(JsonElement body)
    {
        var fields = new RequestFields(body, Known);
        PictureRequest? basis = ReadBasis(fields);
        (PictureSource? source, SourceUploads uploads) = sources.Read(fields, basis?.Source);
        PictureRequest picture = ReadPicture(fields, basis) with { Source = source, Hires = hires.Read(fields, basis?.Hires) };
        picture = loras.Read(fields, picture, basis);
        try
        {
            ReferenceRules.ThrowIfUnpaintable(picture, uploads);
        }
        catch (PictureRequestException exception)
        {
            throw Problems.Of(exception);
        }

        CheckPixels(picture);
        hires.CheckPixels(picture);
        return new JobRequest
        {
            Picture = picture,
            Uploads = uploads,
            Count = fields.Whole("count", 1, limits.Count) ?? 1,
            Model = fields.Text("model", LongestName),
            Format = ReadFormat(fields),
            Quality = fields.Whole("quality", 1, 100),
        };
    }

    /// <summary>Reads a prompt's syntax by its word.</summary>
    /// <exception cref="ServerRequestException">There is no such syntax.</exception>
    public static PromptSyntax SyntaxOf(string word)
    {
        foreach (PromptSyntax syntax in Enum.GetValues<PromptSyntax>())
            if (RequestWords.WordOf(syntax).Equals(word, StringComparison.OrdinalIgnoreCase)) return syntax;
        throw NoSuchWord("syntax", word, RequestWords.Syntaxes);
    }

    private PictureRequest? ReadBasis(RequestFields fields)
    {
        if (fields.Text("basis", LongestName) is not { } id) return null;
        return basisOf(id) ?? throw Problems.Make(
            404, "no-such-picture", "There is no picture with the id of basis that has a record. Choose another one, or leave basis out.",
            inner: null, "basis");
    }

    private PictureRequest ReadPicture(RequestFields fields, PictureRequest? known)
    {
        string? prompt = fields.Text("prompt", limits.PromptCharacters) ?? known?.Prompt;
        if (prompt is null) throw Problems.BadValue("prompt", "there is no prompt", "a text", "Send one; it may be empty.");
        PictureRequest basis = known ?? Defaults;
        ulong seed = fields.Seed("seed") ?? known?.Seed ?? DrawnSeed.Next();
        int steps = fields.Whole("steps") ?? basis.Steps;
        float strength = fields.Number("variationStrength") ?? basis.VariationStrength;
        return basis with
        {
            Prompt = prompt,
            NegativePrompt = fields.Text("negativePrompt", limits.PromptCharacters) ?? basis.NegativePrompt,
            PromptSyntax = fields.Text("syntax", LongestName) is { } syntax ? SyntaxOf(syntax) : basis.PromptSyntax,
            Width = fields.Whole("width") ?? basis.Width,
            Height = fields.Whole("height") ?? basis.Height,
            Steps = steps,
            GuidanceScale = fields.Number("guidance") ?? basis.GuidanceScale,
            Sampler = fields.Text("sampler", LongestName) is { } sampler ? SamplerOf(sampler) : basis.Sampler,
            Schedule = ReadSchedule(fields, basis.Schedule, steps),
            Seed = seed,
            Frame = ReadFrame(fields, basis.Frame),
            ClipSkip = fields.Whole("clipSkip") ?? basis.ClipSkip,
            Eta = fields.Number("eta") ?? basis.Eta,
            NoiseSource = fields.Text("noise", LongestName) is { } noise ? NoiseOf(noise) : basis.NoiseSource,
            VariationSeed = fields.Seed("variationSeed") ?? (strength > 0 && known is null ? DrawnSeed.Next() : basis.VariationSeed),
            VariationStrength = strength,
            GuidanceRescale = fields.Number("guidanceRescale") ?? basis.GuidanceRescale,
        };
    }

    // Another number of steps or another schedule leaves the timesteps of a record.
    private static NoiseSchedule ReadSchedule(RequestFields fields, NoiseSchedule basis, int steps)
    {
        if (fields.Text("schedule", LongestName) is { } name)
        {
            NoiseSchedule found = ScheduleCatalog.Find(name) ?? throw RequestFields.NoSuchName(
                "schedule", name, ScheduleCatalog.Ids, NearestNames.Of(name, ScheduleCatalog.Ids));
            bool isSame = ScheduleCatalog.IdOf(found) == ScheduleCatalog.IdOf(basis);
            if (!isSame) return found;
        }

        return basis.Timesteps is { } timesteps && timesteps.Count != steps ? basis with { Timesteps = null } : basis;
    }

    private static SamplerName SamplerOf(string name) => SamplerCatalog.BuiltIn.Find(name) ?? throw RequestFields.NoSuchName(
        "sampler",
        name,
        [.. SamplerCatalog.BuiltIn.Names.Select(sampler => sampler.Id)],
        SamplerCatalog.BuiltIn.Nearest(name));

    private static NoiseSource NoiseOf(string name)
    {
        foreach (NoiseSource source in NoiseSourceCatalog.BuiltIn.Names)
            if (source.Id.Equals(name, StringComparison.OrdinalIgnoreCase)) return source;
        throw NoSuchWord("noise", name, [.. NoiseSourceCatalog.BuiltIn.Names.Select(source => source.Id.ToLowerInvariant())]);
    }

    private static PictureFrame? ReadFrame(RequestFields fields, PictureFrame? basis)
    {
        if (fields.Text("frame", LongestName) is not { } word) return basis;
        if (word.Equals(RequestWords.NoFrame, StringComparison.OrdinalIgnoreCase)) return null;
        foreach (FrameStyle style in Enum.GetValues<FrameStyle>())
        {
            if (!RequestWords.WordOf(style).Equals(word, StringComparison.OrdinalIgnoreCase)) continue;
            return new PictureFrame(style, basis?.Placement ?? FramePlacement.Inside);
        }

        throw NoSuchWord("frame", word, RequestWords.Frames);
    }

    private static PictureFormat ReadFormat(RequestFields fields) => fields.Text("format", LongestName)?.ToLowerInvariant() switch
    {
        null or "png" => PictureFormat.Png,
        "jpeg" or "jpg" => PictureFormat.Jpeg,
        "webp" => PictureFormat.WebP,
        var word => throw NoSuchWord("format", word, RequestWords.Formats),
    };

    private static ServerRequestException NoSuchWord(string field, string word, IReadOnlyList<string> words) =>
        RequestFields.NoSuchName(field, word, words, NearestNames.Of(word, words));

    private void CheckPixels(PictureRequest picture)
    {
        long pixels = (long)picture.Width * picture.Height;
        if (pixels <= limits.Pixels) return;
        string found = string.Create(CultureInfo.InvariantCulture, $"the size is {picture.Width}x{picture.Height} px, {pixels} in all");
        throw Problems.BadValue(
            "width", found, string.Create(CultureInfo.InvariantCulture, $"at most {limits.Pixels} px"), "Choose a smaller size.");
    }
}

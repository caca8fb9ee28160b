using System.Globalization;
using MuseAtelier.Sampling;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.Requests;

/// <summary>Reads the member <c>hires</c> of a request: the second pass at a higher resolution.</summary>
/// <param name="upscalers">The ways to enlarge the picture.</param>
/// <param name="limits">The limits.</param>
internal sealed class HiresFields(UpscalerShelf upscalers, ServerLimits limits)
{
    /// <summary>The largest factor of width and height.</summary>
    public const int MostScale = 8;

    /// <summary>The member's name.</summary>
    public const string Name = "hires";

    private const int LongestName = 256;

    /// <summary>The members of a second pass. <see cref="LoraFields"/> reads the last one.</summary>
    public static readonly IReadOnlyList<string> Known =
    [
        "scale", "strength", "steps", "upscaler", "prompt", "negativePrompt", "sampler", "schedule", "guidanceScale", LoraFieldNames.List,
    ];

    /// <summary>A second pass whose members have their defaults.</summary>
    public static HiresPass Defaults { get; } = new();

    /// <summary>Reads the second pass.</summary>
    /// <param name="fields">The request.</param>
    /// <param name="basis">The second pass of the request's basis; null if it has none.</param>
    /// <returns>The pass; null if there is none.</returns>
    /// <exception cref="ServerRequestException">A member is refused.</exception>
    public HiresPass? Read(RequestFields fields, HiresPass? basis)
    {
        if (fields.IsNone(Name)) return null;
        if (fields.Inner(Name, Known) is not { } own) return basis is null ? null : Again(basis, fields);
        return new HiresPass
        {
            Scale = own.Number("scale") ?? Defaults.Scale,
            Strength = own.Number("strength") ?? Defaults.Strength,
            Steps = own.Whole("steps"),
            Upscaler = own.Text("upscaler", LongestName) is { } upscaler ? UpscalerOf(own, upscaler) : Defaults.Upscaler,
            Prompt = own.Text("prompt", limits.PromptCharacters),
            NegativePrompt = own.Text("negativePrompt", limits.PromptCharacters),
            Sampler = own.Text("sampler", LongestName) is { } sampler ? SamplerOf(own, sampler) : null,
            Schedule = own.Text("schedule", LongestName) is { } schedule ? ScheduleOf(own, schedule) : null,
            GuidanceScale = own.Number("guidanceScale"),
        };
    }

    /// <summary>Refuses a second pass whose result has too many pixels.</summary>
    /// <param name="request">The request.</param>
    /// <exception cref="ServerRequestException">It has too many.</exception>
    public void CheckPixels(PictureRequest request)
    {
        if (request.Hires is not { } hires) return;
        (int width, int height) = hires.SizeOf(request.Width, request.Height);
        if ((long)width * height <= limits.Pixels) return;
        throw Problems.BadValue(
            "hires.scale",
            string.Create(CultureInfo.InvariantCulture, $"the second pass has {width}x{height} px"),
            string.Create(CultureInfo.InvariantCulture, $"at most {limits.Pixels} px in all"),
            "Choose a smaller scale.");
    }

    // A record is only a file: it names a model of the folder, not a path.
    private HiresPass Again(HiresPass basis, RequestFields fields)
    {
        if (basis.Upscaler.Path is null) return basis;
        HiresUpscaler known = UpscalerOf(fields, UpscalerShelf.NameOf(basis.Upscaler));
        return basis with { Upscaler = known with { Sha256 = basis.Upscaler.Sha256 } };
    }

    private HiresUpscaler UpscalerOf(RequestFields fields, string name)
    {
        if (upscalers.Find(name) is { } found) return found;
        string[] names = [.. upscalers.All.Select(known => known.Name)];
        string question = NearestNames.Question(NearestNames.Of(name, names));
        throw Problems.Make(
            404,
            "no-such-upscaler",
            $"There is no upscaler of this name; expected one of {string.Join(", ", names)}. "
                + (question.Length > 0 ? question : "Put its file into the folder of --upscalers."),
            inner: null,
            fields.PathOf("upscaler"));
    }

    private static SamplerName SamplerOf(RequestFields fields, string name) =>
        SamplerCatalog.BuiltIn.Find(name) ?? throw RequestFields.NoSuchName(
            fields.PathOf("sampler"),
            name,
            [.. SamplerCatalog.BuiltIn.Names.Select(sampler => sampler.Id)],
            SamplerCatalog.BuiltIn.Nearest(name));

    private static NoiseSchedule ScheduleOf(RequestFields fields, string name) => ScheduleCatalog.Find(name)
        ?? throw RequestFields.NoSuchName(
            fields.PathOf("schedule"), name, ScheduleCatalog.Ids, NearestNames.Of(name, ScheduleCatalog.Ids));
}

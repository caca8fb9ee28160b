using System.Globalization;
using System.Text.Json;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// What has to hold of a picture's record beyond the form of its JSON. Whether the request can be painted is not looked at here: <see
/// cref="PictureRequestException.ThrowIfUnpaintable(PictureRequest)"/> says that, and names the nearest request that can.
/// </summary>
internal static class PictureRecordRules
{
    private const int StepHashDigits = 16, Sha256Digits = 64;

    // In latents. The least is what the engine takes, the most is the largest picture's side.
    private const int SmallestTile = 32, LargestTile = 256;

    /// <summary>
    /// Members that have a default in code, so that the JSON's reader does not miss them: nothing of a record may be filled in by guess.
    /// </summary>
    private static readonly string[]
        RequestMembers = ["prompt", "negativePrompt", "emptyNegative", "seed", "noiseSource", "width", "height", "steps", "guidanceScale",
            "schedule"],
        ScheduleMembers = ["spacing", "karras"];

    /// <summary>How a record's JSON is read: shallow, and each member once.</summary>
    public static JsonDocumentOptions Reading { get; } = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>Makes sure that no member of the request is missing.</summary>
    /// <param name="path">Path of the picture, for messages.</param>
    /// <param name="record">The record's JSON.</param>
    /// <exception cref="PictureRecordDamagedException">One is missing.</exception>
    public static void RequireMembers(string path, JsonElement record)
    {
        JsonElement request = Object(path, record, "request");
        foreach (string name in RequestMembers) if (!request.TryGetProperty(name, out _)) throw Missing(path, $"request.{name}");
        JsonElement schedule = Object(path, request, "schedule");
        foreach (string name in ScheduleMembers) if (!schedule.TryGetProperty(name, out _)) throw Missing(path, $"request.schedule.{name}");
    }

    /// <summary>Makes sure that the values are such as a record can have.</summary>
    /// <param name="path">Path of the picture, for messages.</param>
    /// <param name="record">The record.</param>
    /// <exception cref="PictureRecordDamagedException">One is not.</exception>
    public static void Check(string path, PictureRecord record)
    {
        CheckRequest(path, record.Request);
        CheckEncoding(path, record.Encoding);
        CheckEngine(path, record.Engine);
        CheckHashes(path, record);
    }

    private static void CheckRequest(string path, PictureRequest request)
    {
        bool isKnown = NoiseSourceCatalog.BuiltIn.Contains(request.NoiseSource)
            && SamplerCatalog.BuiltIn.Contains(request.Sampler)
            && Enum.IsDefined(request.EmptyNegative)
            && Enum.IsDefined(request.Schedule.Spacing);
        if (request.Frame is { } frame) isKnown &= Enum.IsDefined(frame.Style) && Enum.IsDefined(frame.Placement);
        if (!isKnown) throw new PictureRecordDamagedException(path, "it names a setting that there is not");
        // A number beyond its type's range is read as infinity.
        if (!float.IsFinite(request.GuidanceScale)) throw new PictureRecordDamagedException(path, "its guidance scale is no finite number");
    }

    private static void CheckEncoding(string path, RecordedEncoding encoding)
    {
        if (!Enum.IsDefined(encoding.Format)) throw new PictureRecordDamagedException(path, "it names a format that there is not");
        bool hasQuality = PictureFormats.DefaultQuality(encoding.Format) is not null;
        if (hasQuality ? encoding.Quality is not (>= 1 and <= 100) : encoding.Quality is not null)
            throw new PictureRecordDamagedException(path, "it names a quality that its format does not have");
    }

    private static void CheckEngine(string path, RecordedEngine engine)
    {
        // The version goes into XMP and EXIF again.
        if (!engine.Version.All(letter => letter is > ' ' and <= '~'))
            throw new PictureRecordDamagedException(path, "it names no version of MuseAtelier");
        if (!engine.Place.Exists)
        {
            throw new PictureRecordDamagedException(path, string.Create(
                CultureInfo.InvariantCulture,
                $"it names index {engine.Place.Index} of a pass of {engine.Place.Pictures}; {BatchSlot.LargestBatch} are the most"));
        }

        if (engine.Tile is { } tile && !(IsTile(tile.Width) && IsTile(tile.Height)))
        {
            throw new PictureRecordDamagedException(path, string.Create(
                CultureInfo.InvariantCulture,
                $"it names tiles of {tile.Width}x{tile.Height} latents, and tiles have {SmallestTile} to {LargestTile} a side"));
        }
    }

    private static void CheckHashes(string path, PictureRecord record)
    {
        RecordedHashes hashes = record.Hashes;
        if (hashes.Algorithm != PictureProvenance.StepHashName)
            throw new PictureRecordDamagedException(path,
                $"it names the hash '{Short(hashes.Algorithm)}', and {PictureProvenance.StepHashName} is known");
        if (hashes.Noise.Count != hashes.Latents.Count || hashes.Latents.Count != (long)record.Request.Steps + 1)
        {
            throw new PictureRecordDamagedException(path, string.Create(
                CultureInfo.InvariantCulture,
                $"it has hashes of {hashes.Latents.Count - 1} steps, and {record.Request.Steps} were asked for"));
        }

        if (!hashes.Latents.All(IsStepHash) || !hashes.Noise.All(hash => hash is "" || IsStepHash(hash)))
            throw new PictureRecordDamagedException(path, $"a step's hash does not have {StepHashDigits} hex digits");
        if (!IsHex(hashes.Pixels, Sha256Digits) || !IsHex(record.Model.Sha256, Sha256Digits)
            || !IsHex(record.Model.GraphsSha256, Sha256Digits))
            throw new PictureRecordDamagedException(path, $"a digest does not have {Sha256Digits} hex digits");
    }

    private static JsonElement Object(string path, JsonElement parent, string name)
    {
        if (parent.ValueKind != JsonValueKind.Object) throw new PictureRecordDamagedException(path, "it is no JSON object");
        if (!parent.TryGetProperty(name, out JsonElement member)) throw Missing(path, name);
        return member.ValueKind == JsonValueKind.Object ? member
            : throw new PictureRecordDamagedException(path, $"its member {name} is no JSON object");
    }

    private static PictureRecordDamagedException Missing(string path, string name) => new(path, $"its member {name} is missing");

    private static bool IsTile(int side) => side is >= SmallestTile and <= LargestTile;

    // Elements of a list may be null, whatever their type says.
    private static bool IsStepHash(string? hash) => IsHex(hash, StepHashDigits);

    private static bool IsHex(string? text, int digits) => text is not null && text.Length == digits && text.All(char.IsAsciiHexDigitLower);

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";
}

using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MuseAtelier.Packages;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>All that another run needs to paint a picture again, and to tell where it parts from the first. Holds no time and no name of a machine's user.</summary>
public sealed record PictureRecord
{
    /// <summary>The version of the record's form that this version writes and reads.</summary>
    public const int CurrentVersion = 2;

    /// <summary>The keyword under which PNG files carry the record.</summary>
    public const string Keyword = "museatelier";

    /// <summary>The most characters that a record is read from.</summary>
    public const int LongestJson = 4 << 20;

    // Escapes only what JSON must have escaped.
    private static readonly PictureRecordJson Json = new(new JsonSerializerOptions(PictureRecordJson.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        AllowDuplicateProperties = false,
    });

    /// <summary>Version of the record's form.</summary>
    public required int Version { get; init; }

    /// <summary>What was asked for.</summary>
    public required PictureRequest Request { get; init; }

    /// <summary>The model that painted it.</summary>
    public required RecordedModel Model { get; init; }

    /// <summary>What ran the model.</summary>
    public required RecordedEngine Engine { get; init; }

    /// <summary>How the file was encoded.</summary>
    public required RecordedEncoding Encoding { get; init; }

    /// <summary>Whether the decoder overflowed the device's own precision, so that the picture was decoded in fp32.</summary>
    public required bool DecodedInFp32 { get; init; }

    /// <summary>Digests of noise, latents and pixels.</summary>
    public required RecordedHashes Hashes { get; init; }

    /// <summary>The record of a picture that is about to be written.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="encoding">How its file will be encoded.</param>
    public static PictureRecord Of(Picture picture, RecordedEncoding encoding)
    {
        ArgumentNullException.ThrowIfNull(picture);
        PictureProvenance provenance = picture.Provenance;
        return new PictureRecord
        {
            Version = CurrentVersion,
            Request = picture.Request,
            Model = new RecordedModel(picture.Model.Name, picture.Model.Sha256, provenance.GraphsSha256),
            Engine = new RecordedEngine(provenance.Engine, provenance.Runtime, provenance.Device, provenance.Plan, provenance.Tile, provenance.Pass),
            Encoding = encoding,
            DecodedInFp32 = picture.DecodedInFp32,
            Hashes = new RecordedHashes(
                PictureProvenance.StepHashName,
                [.. provenance.StepHashes.Select(step => step.Noise is { } noise ? Hex(noise) : "")],
                [.. provenance.StepHashes.Select(step => Hex(step.Latents))],
                Sha256.Hash(picture.Pixels.Span)),
        };
    }

    /// <summary>The record as JSON on one line; letters of every script stand as they are.</summary>
    public string ToJson() => JsonEscapes.Resolve(JsonSerializer.Serialize(this, Json.PictureRecord));

    /// <summary>Reads a record.</summary>
    /// <param name="path">Path of the picture that carries it, for messages.</param>
    /// <param name="json">The record's JSON.</param>
    /// <exception cref="PictureRecordVersionException">It is of another version.</exception>
    /// <exception cref="PictureRecordDamagedException">It cannot be read.</exception>
    public static PictureRecord Parse(string path, string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (json.Length > LongestJson) throw new PictureRecordDamagedException(path, string.Create(CultureInfo.InvariantCulture, $"it has {json.Length} characters"));
        try
        {
            using (JsonDocument document = JsonDocument.Parse(json, PictureRecordRules.Reading))
            {
                // The version comes first: a record of another one need not have this one's members.
                if (document.RootElement.TryGetProperty("version", out JsonElement version) && version.TryGetInt32(out int number) && number != CurrentVersion)
                    throw new PictureRecordVersionException(path, number);
                PictureRecordRules.RequireMembers(path, document.RootElement);
            }

            PictureRecord record = JsonSerializer.Deserialize(json, Json.PictureRecord) ?? throw new PictureRecordDamagedException(path, "it is empty");
            PictureRecordRules.Check(path, record);
            return record;
        }
        // ArgumentException: text that is no Unicode, such as half of a pair of surrogates.
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new PictureRecordDamagedException(path, exception.Message, exception);
        }
    }

    /// <summary>A step's hash as records write it.</summary>
    internal static string Hex(ulong hash) => hash.ToString("x16", CultureInfo.InvariantCulture);
}

/// <summary>The model as a record names it.</summary>
/// <param name="Name">The checkpoint's file name without extension.</param>
/// <param name="Sha256">SHA-256 of the checkpoint, lower-case hex.</param>
/// <param name="GraphsSha256">SHA-256 over the graphs that were run, lower-case hex.</param>
public sealed record RecordedModel(string Name, string Sha256, string GraphsSha256);

/// <summary>What ran the model, as a record names it.</summary>
/// <param name="Version">Version of MuseAtelier.</param>
/// <param name="Runtime">Name and version of the runtime.</param>
/// <param name="Device">The device in words.</param>
/// <param name="Plan">Where the weights were and how the picture was decoded, in words.</param>
/// <param name="Tile">The tiles in which the VAE decoded; null where it decoded the whole.</param>
/// <param name="Pass">How many pictures were denoised together, and which of them this was; records that do not say are of pictures that were painted by themselves.</param>
public sealed record RecordedEngine(string Version, string Runtime, string Device, string Plan, TileSize? Tile = null, BatchSlot? Pass = null)
{
    /// <summary>Where the picture was painted, whether the record says so or not.</summary>
    [JsonIgnore]
    public BatchSlot Place => Pass ?? BatchSlot.Alone;

    /// <summary>
    /// Threads of the processor that painted the picture, as the device's text states them; null where a card painted it.
    /// </summary>
    [JsonIgnore]
    public int? Threads
    {
        get
        {
            const string mark = " processor, ", end = " threads";
            int at = Device.IndexOf(mark, StringComparison.Ordinal);
            if (at <= 0 || !Device.EndsWith(end, StringComparison.Ordinal) || Device.Length < at + mark.Length + end.Length) return null;
            ReadOnlySpan<char> number = Device.AsSpan()[(at + mark.Length)..^end.Length];
            return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads > 0 ? threads : null;
        }
    }
}

/// <summary>How a file was encoded.</summary>
/// <param name="Format">The file's format.</param>
/// <param name="Quality">1 to 100; null for formats that keep every pixel.</param>
public sealed record RecordedEncoding(PictureFormat Format, int? Quality = null);

/// <summary>Digests by which two runs are compared.</summary>
/// <param name="Algorithm">The name of the steps' hash, over fp32 little-endian in NCHW.</param>
/// <param name="Noise">Of the start, then of each step's noise, as 16 hex digits; empty where a step adds none.</param>
/// <param name="Latents">Of the first latents, then of those after each step.</param>
/// <param name="Pixels">SHA-256 of the RGB bytes, lower-case hex.</param>
public sealed record RecordedHashes(string Algorithm, IReadOnlyList<string> Noise, IReadOnlyList<string> Latents, string Pixels);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    // A member that is not known asks for something that this version would not paint.
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PictureRecord))]
internal sealed partial class PictureRecordJson : JsonSerializerContext;

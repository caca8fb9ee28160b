using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Format;
using MuseAtelier.Pictures.Metadata;
using static System.FormattableString;

namespace MuseAtelier.Pictures;

/// <summary>
/// Everything that another run needs to paint a picture again and to find the step at which the two runs part. A record holds no time
/// and no user name.
/// </summary>
public sealed record PictureRecord
{
    /// <summary>The version of the records that this version of MuseAtelier writes.</summary>
    public const int CurrentVersion = 3;

    /// <summary>The oldest version of records that can be read.</summary>
    internal const int OldestVersion = PictureRecordVersion2.Number;

    /// <summary>The keyword under which PNG files carry the record.</summary>
    internal const string Keyword = "museatelier";

    /// <summary>The largest number of characters of a record that is read.</summary>
    internal const int LongestJson = 4 << 20;

    /// <summary>The version: <see cref="CurrentVersion"/>, because a record of an older version is converted when it is read.</summary>
    public required int Version { get; init; }

    /// <summary>The request that was painted.</summary>
    public required PictureRequest Request { get; init; }

    /// <summary>The model that painted it.</summary>
    public required RecordedModel Model { get; init; }

    /// <summary>
    /// The embeddings that the prompts named, in the order in which they are first used; null if they named none.
    /// </summary>
    public IReadOnlyList<UsedEmbedding>? Embeddings { get; init; }

    /// <summary>The engine and the device that ran the model.</summary>
    public required RecordedEngine Engine { get; init; }

    /// <summary>How the file was encoded.</summary>
    public required RecordedEncoding Encoding { get; init; }

    /// <summary>Whether the picture was decoded in fp32 because the decoder overflowed the device's own precision.</summary>
    public required bool DecodedInFp32 { get; init; }

    /// <summary>Digests of noise, latents and pixels.</summary>
    public required RecordedHashes Hashes { get; init; }

    /// <summary>Creates the record of a picture that is about to be written.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="encoding">How its file will be encoded.</param>
    /// <exception cref="ArgumentNullException">The picture is null.</exception>
    public static PictureRecord Of(Picture picture, RecordedEncoding encoding)
    {
        ArgumentNullException.ThrowIfNull(picture);
        PictureProvenance provenance = picture.Provenance;
        return new PictureRecord
        {
            Version = CurrentVersion,
            Request = RecordedAdapters.RequestOf(picture),
            Embeddings = RecordedAdapters.EmbeddingsOf(picture),
            Model = new RecordedModel(picture.Model.Name, picture.Model.Sha256, provenance.GraphsSha256)
            {
                Vae = picture.Model.Vae,
                Prediction = provenance.Prediction,
            },
            Engine = new RecordedEngine(
                provenance.Engine, provenance.Runtime, provenance.Device, provenance.Plan, provenance.BatchSlot, provenance.VaeTile),
            Encoding = encoding,
            DecodedInFp32 = picture.DecodedInFp32,
            Hashes = new RecordedHashes(
                PictureProvenance.StepHashName,
                [.. provenance.StepHashes.Select(step => step.Noise is { } noise ? Hex(noise) : "")],
                [.. provenance.StepHashes.Select(step => Hex(step.Latents))],
                Sha256.Hash(picture.Pixels.Span)),
        };
    }

    /// <summary>The record as JSON on one line. Letters of every script are written unescaped.</summary>
    public string ToJson() => JsonEscapes.Resolve(JsonSerializer.Serialize(this, RecordJson.Types.PictureRecord));

    /// <summary>Reads a record of the current version or of an older one.</summary>
    /// <param name="path">Path of the picture that carries it, for messages.</param>
    /// <param name="json">The record's JSON.</param>
    /// <exception cref="PictureRecordVersionException">It has a version that cannot be read.</exception>
    /// <exception cref="PictureRecordDamagedException">It cannot be read.</exception>
    public static PictureRecord Parse(string path, string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (json.Length > LongestJson) throw new PictureRecordDamagedException(path, Invariant($"it has {json.Length} characters"));
        try
        {
            JsonNode? node = JsonNode.Parse(json, documentOptions: PictureRecordRules.Reading);
            // The version must be checked first, because a record of another version has other members.
            if (node is JsonObject root) Upgrade(path, root);
            PictureRecord record = node.Deserialize(RecordJson.Types.PictureRecord)
                ?? throw new PictureRecordDamagedException(path, "it is empty");
            PictureRecordRules.Check(path, record);
            return record;
        }
        // ArgumentException means text that is not valid Unicode, such as a surrogate without a partner.
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new PictureRecordDamagedException(path, exception.Message, exception);
        }
    }

    /// <summary>A step's hash in the form that records hold.</summary>
    internal static string Hex(ulong hash) => hash.ToString("x16", CultureInfo.InvariantCulture);

    private static void Upgrade(string path, JsonObject record)
    {
        if (record["version"] is not JsonValue value || !value.TryGetValue(out int version)) return;
        if (version is < OldestVersion or > CurrentVersion) throw new PictureRecordVersionException(path, version);
        if (version == PictureRecordVersion2.Number) PictureRecordVersion2.Upgrade(record);
    }
}

using System.Text.Json;
using MuseAtelier.Format;
using MuseAtelier.Sampling;
using static System.FormattableString;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The ranges of a record's values. Whether the request can be painted is not checked here:
/// <see cref="PictureRequestException.ThrowIfUnpaintable"/> does that, and names the nearest request that can.
/// </summary>
internal static class PictureRecordRules
{
    private const int StepHashDigits = 16;
    private const int Sha256Digits = 64;

    // In latents: the smallest tile that the engine accepts, and the side of the largest picture.
    private const int SmallestTile = 32;
    private const int LargestTile = 512;

    // Of a request, and evaluations of any sampler.
    private const int MostSteps = 1000;

    private const int MostCommaBacktrack = 75;

    private const int LongestQuote = 40;
    private const int LongestReason = 1000;

    /// <summary>The options for reading a record's JSON. They refuse deep nesting and duplicate members.</summary>
    public static JsonDocumentOptions Reading { get; } = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>Checks that every value is in range.</summary>
    /// <param name="path">Path of the picture, for messages.</param>
    /// <param name="record">The record.</param>
    /// <exception cref="PictureRecordDamagedException">A value is out of range.</exception>
    public static void Check(string path, PictureRecord record)
    {
        CheckRequest(path, record.Request);
        RecordedSourceRules.Check(path, record.Request);
        RecordedAdapters.Check(path, record.Embeddings);
        CheckPrediction(path, record.Model.Prediction);
        CheckEncoding(path, record.Encoding);
        CheckEngine(path, record.Engine);
        CheckHashes(path, record);
    }

    private static void CheckRequest(string path, PictureRequest request)
    {
        bool isKnown = Enum.IsDefined(request.EmptyNegative) && Enum.IsDefined(request.Schedule.Spacing);
        isKnown &= Enum.IsDefined(request.PromptSyntax) && Enum.IsDefined(request.Emphasis);
        isKnown &= Enum.IsDefined(request.Dialect) && Enum.IsDefined(request.Prediction);
        if (request.Frame is { } frame) isKnown &= Enum.IsDefined(frame.Style) && Enum.IsDefined(frame.Placement);
        if (!isKnown) throw new PictureRecordDamagedException(path, "it has an unknown setting");
        // The reader turns a number beyond the range of its type into infinity.
        if (!float.IsFinite(request.GuidanceScale)) throw new PictureRecordDamagedException(path, "its guidance scale is not finite");
        CheckShare(path, "eta", request.Eta ?? 0);
        CheckShare(path, "variation strength", request.VariationStrength);
        CheckShare(path, "guidance rescale", request.GuidanceRescale);
        CheckShare(path, "beginning of guidance", request.GuidanceFrom);
        CheckShare(path, "end of guidance", request.GuidanceTo);
        CheckWhole(path, "clip skip", request.ClipSkip, 1, ConditioningNames.MostClipSkip);
        CheckWhole(path, "comma backtrack", request.CommaBacktrack, 0, MostCommaBacktrack);
        if (request.Schedule.Timesteps is { } timesteps && timesteps.Count != request.Steps)
            throw new PictureRecordDamagedException(path, Invariant($"it has {timesteps.Count} timesteps for {request.Steps} steps"));
    }

    /// <summary>
    /// Checks that a number is from 0 to 1. Also refuses infinity, to which the reader turns numbers beyond the range of their type.
    /// </summary>
    /// <exception cref="PictureRecordDamagedException">It is not.</exception>
    public static void CheckShare(string path, string name, float value)
    {
        bool fits = value is >= 0 and <= 1;
        if (!fits) throw new PictureRecordDamagedException(path, Invariant($"its {name} is {value}, not from 0 to 1"));
    }

    /// <summary>Checks that a whole number is in range.</summary>
    /// <exception cref="PictureRecordDamagedException">It is not.</exception>
    public static void CheckWhole(string path, string name, int value, int least, int most)
    {
        bool fits = value >= least && value <= most;
        if (!fits) throw new PictureRecordDamagedException(path, Invariant($"its {name} is {value}, not from {least} to {most}"));
    }

    private static void CheckPrediction(string path, UsedPrediction? prediction)
    {
        if (prediction is null) return;
        bool isKnown = Enum.IsDefined(prediction.Used) && prediction.Used != ModelPrediction.Automatic;
        if (!isKnown) throw new PictureRecordDamagedException(path, "it does not say what its model predicts");
        if (prediction.Reason.Length > LongestReason || prediction.Reason.Any(char.IsControl))
            throw new PictureRecordDamagedException(path, "its reason for the prediction is no line of text");
    }

    private static void CheckEncoding(string path, RecordedEncoding encoding)
    {
        if (!Enum.IsDefined(encoding.Format)) throw new PictureRecordDamagedException(path, "it has an unknown format");
        bool hasQuality = PictureFormats.DefaultQuality(encoding.Format) is not null;
        if (hasQuality ? encoding.Quality is not (>= 1 and <= 100) : encoding.Quality is not null)
            throw new PictureRecordDamagedException(path, "its quality does not fit its format");
    }

    private static void CheckEngine(string path, RecordedEngine engine)
    {
        // The version is written into XMP and EXIF again, so it must be plain text.
        if (!engine.Version.All(letter => letter is > ' ' and <= '~'))
            throw new PictureRecordDamagedException(path, "its version of MuseAtelier is not plain text");
        BatchSlot slot = engine.BatchSlot;
        if (!slot.Exists)
        {
            string found = Invariant($"its batch size is {slot.BatchSize} and its index {slot.Index}");
            throw new PictureRecordDamagedException(path, Invariant($"{found}; a batch has 1 to {BatchSlot.LargestBatch} pictures"));
        }

        if (engine.VaeTile is { } tile && !(IsTile(tile.Width) && IsTile(tile.Height)))
        {
            string found = Invariant($"its VAE tiles have {tile.Width}x{tile.Height} latents");
            throw new PictureRecordDamagedException(path, Invariant($"{found}; a tile has {SmallestTile} to {LargestTile} a side"));
        }
    }

    /// <summary>
    /// The digests of a request's evaluations in a record, without that of the start: a second pass has one of its own start among them.
    /// Null if a sampler is not of this library.
    /// </summary>
    /// <exception cref="StepCountException">The request is one that could not be painted.</exception>
    internal static int? EvaluationsOf(PictureRequest request) =>
        SamplerCatalog.BuiltIn.EvaluationsOf(request) + (request.Hires is null ? 0 : 1);

    // A sampler of another program may evaluate the UNet any number of times in a step.
    private static void CheckEvaluations(string path, PictureRequest request, RecordedHashes hashes)
    {
        int found = hashes.Latents.Count - 1;
        // A source of strength 0 is not denoised.
        int least = request.Source is null ? 1 : 0;
        int most = request.Hires is null ? MostSteps : 2 * MostSteps + 1;
        bool fits = hashes.Noise.Count == hashes.Latents.Count && found >= least && found <= most && request.Steps is >= 1 and <= MostSteps;
        try
        {
            if (fits && (EvaluationsOf(request) ?? found) == found) return;
        }
        catch (StepCountException)
        {
            // The request is one that could not be painted.
        }

        string words = Invariant($"it has the hashes of {found} evaluations");
        throw new PictureRecordDamagedException(path, Invariant($"{words}, which do not fit its request of {request.Steps} steps"));
    }

    private static void CheckHashes(string path, PictureRecord record)
    {
        RecordedHashes hashes = record.Hashes;
        if (hashes.Algorithm != PictureProvenance.StepHashName)
        {
            string found = $"its hash algorithm is '{Short(hashes.Algorithm)}'";
            throw new PictureRecordDamagedException(path, $"{found}; only {PictureProvenance.StepHashName} is known");
        }

        CheckEvaluations(path, record.Request, hashes);

        if (!hashes.Latents.All(IsStepHash) || !hashes.Noise.All(hash => hash is "" || IsStepHash(hash)))
            throw new PictureRecordDamagedException(path, Invariant($"a step's hash does not have {StepHashDigits} hex digits"));
        string[] digests = [hashes.Pixels, record.Model.Sha256, record.Model.GraphsSha256, .. VaeDigest(record.Model)];
        if (!digests.All(digest => IsHex(digest, Sha256Digits)))
            throw new PictureRecordDamagedException(path, Invariant($"a digest does not have {Sha256Digits} hex digits"));
    }

    private static string[] VaeDigest(RecordedModel model) => model.Vae is { } vae ? [vae.Sha256] : [];

    private static bool IsTile(int side) => side is >= SmallestTile and <= LargestTile;

    // Elements of a list can be null, because the JSON reader does not check them.
    private static bool IsStepHash(string? hash) => IsHex(hash, StepHashDigits);

    private static bool IsHex(string? text, int digits) => text is not null && text.Length == digits && text.All(char.IsAsciiHexDigitLower);

    private static string Short(string text) => text.Length <= LongestQuote ? text : text[..LongestQuote] + "…";
}

using System.Text;
using System.Text.RegularExpressions;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>A mark that shows the quantity that a UNet predicts.</summary>
/// <param name="Type">The quantity that the mark shows.</param>
/// <param name="Text">The mark and its place, in words.</param>
internal sealed record PredictionMark(PredictionType Type, string Text)
{
    /// <summary>The kind of model that the mark shows.</summary>
    public CheckpointKind Kind =>
        Type is PredictionType.Edm or PredictionType.VelocityEdm ? CheckpointKind.SdxlEdm : CheckpointKind.SdxlVelocity;

    /// <summary>Whether the mark says that the model has zero terminal SNR.</summary>
    public bool ZeroTerminalSnr { get; init; }

    /// <summary>The range of noise levels that the mark states; null if it states none.</summary>
    public SigmaRange? Sigmas { get; init; }
}

/// <summary>
/// Detects SDXL checkpoints that predict something else than noise. Their network has the same tensors as one that predicts noise, so only
/// a mark distinguishes them. Using their output as noise would give a useless picture. The marks are those of ComfyUI
/// (comfy/supported_models.py, SDXL.model_type), Forge and the metadata of trainers.
/// </summary>
internal static partial class PredictionMarks
{
    /// <summary>The name of the empty tensor that marks a model that predicts velocity.</summary>
    public const string VelocityTensor = "v_pred";

    /// <summary>The name of the empty tensor that marks such a model with zero terminal SNR.</summary>
    public const string ZeroSnrTensor = "ztsnr";

    private const string MostSigma = "edm_vpred.sigma_max";
    private const string LeastSigma = "edm_vpred.sigma_min";

    /// <summary>The largest part of a .yaml file that is read, in bytes.</summary>
    private const int MaxYamlBytes = 1 << 20;

    /// <summary>The names of the tensors that are marks.</summary>
    public static IReadOnlyList<string> TensorMarks { get; } = ["edm_mean", "edm_std", MostSigma, LeastSigma, VelocityTensor, ZeroSnrTensor];

    /// <summary>Finds the first mark of another prediction than noise; null where there is none.</summary>
    /// <exception cref="CheckpointException">The file beside the checkpoint that could hold a mark cannot be read.</exception>
    public static PredictionMark? Find(TensorFile file) =>
        OfTensors(file) ?? OfMetadata(file.Metadata) ?? FindBeside(file.Path);

    /// <summary>
    /// Finds the mark in the .yaml file beside a checkpoint, which has the checkpoint's name, as AUTOMATIC1111 and Forge read it; for a
    /// folder in diffusers' layout that of its scheduler. Null where there is no such file, or no mark in it.
    /// </summary>
    /// <param name="checkpoint">Path of the checkpoint.</param>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    public static PredictionMark? FindBeside(string checkpoint) => Directory.Exists(checkpoint)
        ? SchedulerMarks.Find(checkpoint)
        : OfYaml(Path.ChangeExtension(checkpoint, ".yaml"));

    /// <summary>
    /// The range of noise levels of a model of the EDM formulation: that of its tensors 'edm_vpred.sigma_max' and 'edm_vpred.sigma_min',
    /// or else the usual one of its type. Null for other types.
    /// </summary>
    /// <param name="file">The checkpoint.</param>
    /// <param name="type">The quantity that its UNet predicts.</param>
    /// <exception cref="SigmaRangeException">The tensors hold no possible range.</exception>
    public static SigmaRange? SigmasOf(TensorFile file, PredictionType type)
    {
        if (SigmaRange.Of(type) is not { } usual || type != PredictionType.VelocityEdm) return SigmaRange.Of(type);
        var range = new SigmaRange(Number(file, LeastSigma) ?? usual.Least, Number(file, MostSigma) ?? usual.Most);
        return range.IsPossible ? range : throw new SigmaRangeException(file.Path, range);
    }

    /// <summary>Whether the file says that its model has zero terminal SNR.</summary>
    public static bool HasZeroTerminalSnr(TensorFile file) => file.Tensors.ContainsKey(ZeroSnrTensor);

    private static PredictionMark? OfTensors(TensorFile file)
    {
        // EDM is checked first because its velocity edition may contain the keys of the other kind too.
        return Has(PredictionType.Edm, "edm_mean", "edm_std")
            ?? Has(PredictionType.VelocityEdm, MostSigma, LeastSigma)
            ?? Has(PredictionType.Velocity, VelocityTensor, ZeroSnrTensor);

        PredictionMark? Has(PredictionType type, params ReadOnlySpan<string> keys)
        {
            foreach (string key in keys)
                if (file.Tensors.ContainsKey(key)) return new PredictionMark(type, $"it has a tensor '{key}'");
            return null;
        }
    }

    private static PredictionMark? OfMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        foreach (string name in (string[])["modelspec.prediction_type", "modelspec.predict_key"])
            if (metadata.TryGetValue(name, out string? value) && TypeOf(value) is { } type)
                return new PredictionMark(type, $"its metadata says {name}: {SafetensorsHeader.Shorten(value)}");
        const string trainer = "ss_v_parameterization";
        return metadata.TryGetValue(trainer, out string? flag) && flag.Trim().ToUpperInvariant() is "TRUE" or "1" or "YES"
            ? new PredictionMark(PredictionType.Velocity, $"its metadata says {trainer}: {SafetensorsHeader.Shorten(flag!)}")
            : null;
    }

    // Only two keys and a class name matter here, at any level of the file.
    private static PredictionMark? OfYaml(string path)
    {
        if (!File.Exists(path)) return null;
        foreach (string line in ReadYaml(path).Split('\n'))
        {
            string content = Comment().Replace(line, "");
            Match said = Parameterization().Match(content);
            PredictionType? type = said.Success ? TypeOf(said.Groups[2].Value) : null;
            if (type is null && Scaling().IsMatch(content)) type = PredictionType.Velocity;
            if (type is null) continue;
            // The path is left out, because a package must not depend on the place of its checkpoint.
            string text = $"{SafetensorsHeader.Shorten(Path.GetFileName(path))} beside it says {SafetensorsHeader.Shorten(content.Trim())}";
            return new PredictionMark(type.Value, text);
        }

        return null;
    }

    private static string ReadYaml(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            byte[] bytes = new byte[Math.Min(stream.Length, MaxYamlBytes)];
            return Encoding.UTF8.GetString(bytes, 0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointUnreadableException(path, exception);
        }
    }

    // The number of a tensor of one element; null if there is no such tensor, or an empty one.
    private static float? Number(TensorFile file, string name) =>
        file.Tensors.TryGetValue(name, out SafetensorsTensor? tensor) && tensor.Elements == 1 ? file.ReadFloats(name)[0] : null;

    private static PredictionType? TypeOf(string prediction)
    {
        string word = string.Concat(prediction.Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
        return word switch
        {
            "V" or "VPRED" or "VPREDICTION" or "VPARAMETERIZATION" or "VELOCITY" => PredictionType.Velocity,
            "EDM" => PredictionType.Edm,
            "VPREDICTIONEDM" or "EDMVPRED" => PredictionType.VelocityEdm,
            _ => null,
        };
    }

    [GeneratedRegex("""(^|\s)#.*""", RegexOptions.NonBacktracking)]
    private static partial Regex Comment();

    [GeneratedRegex("""(^|[\s{,"'])(?:parameterization|prediction_type)["']?\s*:\s*["']?([A-Za-z_-]+)""", RegexOptions.NonBacktracking)]
    private static partial Regex Parameterization();

    [GeneratedRegex("""\.VScaling["']?\s*[,}]?\s*$""", RegexOptions.NonBacktracking)]
    private static partial Regex Scaling();
}

using System.Text;
using System.Text.RegularExpressions;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>A mark that shows the quantity that a UNet predicts.</summary>
/// <param name="Kind">The kind of model that the mark shows.</param>
/// <param name="Text">The mark and its place, in words.</param>
/// <param name="IsInFile">Whether the mark is in the checkpoint itself, and not in a file beside it.</param>
internal sealed record PredictionMark(CheckpointKind Kind, string Text, bool IsInFile = true);

/// <summary>
/// Detects SDXL checkpoints that predict something else than noise. Their network has the same tensors as one that predicts noise, so only
/// a mark distinguishes them. Using their output as noise would give a useless picture. The marks are those of ComfyUI
/// (comfy/supported_models.py, SDXL.model_type), Forge and the metadata of trainers.
/// </summary>
internal static partial class PredictionMarks
{
    /// <summary>The name of the empty tensor that marks a model with zero terminal SNR.</summary>
    private const string ZeroSnr = "ztsnr";

    /// <summary>The largest part of a .yaml file that is read, in bytes.</summary>
    private const int MaxYamlBytes = 1 << 20;

    /// <summary>Finds the first mark of another prediction than noise; null where there is none.</summary>
    /// <exception cref="CheckpointUnreadableException">The .yaml file beside the checkpoint cannot be read.</exception>
    public static PredictionMark? Find(SafetensorsFile file) =>
        OfTensors(file) ?? OfMetadata(file.Metadata) ?? OfYaml(Path.ChangeExtension(file.Path, ".yaml"));

    /// <summary>Whether the file says that its model has zero terminal SNR.</summary>
    public static bool HasZeroTerminalSnr(SafetensorsFile file) => file.Tensors.ContainsKey(ZeroSnr);

    private static PredictionMark? OfTensors(SafetensorsFile file)
    {
        // EDM is checked first because its velocity edition may contain the keys of the other kind too.
        foreach (string key in (string[])["edm_mean", "edm_std", "edm_vpred.sigma_max", "edm_vpred.sigma_min"])
            if (file.Tensors.ContainsKey(key)) return new PredictionMark(CheckpointKind.SdxlEdm, $"it has a tensor '{key}'");
        foreach (string key in (string[])["v_pred", ZeroSnr])
            if (file.Tensors.ContainsKey(key)) return new PredictionMark(CheckpointKind.SdxlVelocity, $"it has a tensor '{key}'");
        return null;
    }

    private static PredictionMark? OfMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        foreach (string name in (string[])["modelspec.prediction_type", "modelspec.predict_key"])
            if (metadata.TryGetValue(name, out string? value) && KindOf(value) is { } kind)
                return new PredictionMark(kind, $"its metadata says {name}: {SafetensorsHeader.Shorten(value)}");
        const string trainer = "ss_v_parameterization";
        return metadata.TryGetValue(trainer, out string? flag) && flag.Trim().ToUpperInvariant() is "TRUE" or "1" or "YES"
            ? new PredictionMark(CheckpointKind.SdxlVelocity, $"its metadata says {trainer}: {SafetensorsHeader.Shorten(flag!)}")
            : null;
    }

    // A1111 and Forge read the .yaml file with the checkpoint's name. Only two keys and a class name matter here, at any level of the file.
    private static PredictionMark? OfYaml(string path)
    {
        if (!File.Exists(path)) return null;
        foreach (string line in ReadYaml(path).Split('\n'))
        {
            string content = Comment().Replace(line, "");
            Match said = Parameterization().Match(content);
            CheckpointKind? kind = said.Success ? KindOf(said.Groups[2].Value) : null;
            if (kind is null && Scaling().IsMatch(content)) kind = CheckpointKind.SdxlVelocity;
            if (kind is null) continue;
            string text = $"{path} beside it says {SafetensorsHeader.Shorten(content.Trim())}";
            return new PredictionMark(kind.Value, text, IsInFile: false);
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

    private static CheckpointKind? KindOf(string prediction)
    {
        string word = string.Concat(prediction.Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
        return word switch
        {
            "V" or "VPRED" or "VPREDICTION" or "VPARAMETERIZATION" or "VELOCITY" => CheckpointKind.SdxlVelocity,
            "EDM" or "VPREDICTIONEDM" or "EDMVPRED" => CheckpointKind.SdxlEdm,
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

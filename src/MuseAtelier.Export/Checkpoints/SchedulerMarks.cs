using System.Text.Json;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Reads what a UNet predicts from the scheduler's settings of a folder in diffusers' layout (diffusers, schedulers/scheduling_*.py:
/// <c>prediction_type</c>, <c>rescale_betas_zero_snr</c>, and the schedulers of the EDM formulation).
/// </summary>
internal static class SchedulerMarks
{
    /// <summary>The mark of a folder; null if it has no scheduler or one for models that predict noise.</summary>
    /// <exception cref="CheckpointException">The file cannot be read, or states impossible values.</exception>
    public static PredictionMark? Find(string folder)
    {
        const string file = DiffusersFolder.SchedulerFile;
        if (!DiffusersFolder.IsOne(folder) || !File.Exists(Path.Combine(folder, file))) return null;
        JsonElement settings = DiffusersFolder.ReadObject(folder, file);
        string scheduler = Text("_class_name") ?? "", prediction = Text("prediction_type") ?? "epsilon";
        bool isEdm = scheduler.StartsWith("EDM", StringComparison.Ordinal);
        string says = $"{file} says {(isEdm ? $"{SafetensorsHeader.Shorten(scheduler)}, " : "")}prediction_type: "
            + SafetensorsHeader.Shorten(prediction);
        return (prediction, isEdm) switch
        {
            ("epsilon", false) => null,
            ("epsilon", true) => new PredictionMark(PredictionType.Edm, says),
            ("v_prediction", true) => new PredictionMark(PredictionType.VelocityEdm, says) { Sigmas = Sigmas() },
            ("v_prediction", false) => Velocity(),
            ("sample", false) => new PredictionMark(PredictionType.Sample, says),
            _ => throw ModelFolderException.Description(folder, file, $"its prediction_type is '{SafetensorsHeader.Shorten(prediction)}'"),
        };

        PredictionMark Velocity()
        {
            bool isRescaled = settings.TryGetProperty("rescale_betas_zero_snr", out JsonElement flag) && flag.ValueKind == JsonValueKind.True;
            string also = isRescaled ? ", rescale_betas_zero_snr" : "";
            return new PredictionMark(PredictionType.Velocity, says + also) { ZeroTerminalSnr = isRescaled };
        }

        SigmaRange Sigmas()
        {
            var range = new SigmaRange(
                Number("sigma_min") ?? SigmaRange.CosXL.Least, Number("sigma_max") ?? SigmaRange.CosXL.Most);
            return range.IsPossible ? range : throw new SigmaRangeException(folder, range);
        }

        string? Text(string name) => settings.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

        float? Number(string name) => settings.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
            ? value.GetSingle()
            : null;
    }
}

using System.Text.Json;
using System.Text.Unicode;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Finds the files of a model in diffusers' layout. Of several editions of a part the one is taken that diffusers loads without being told
/// a variant; where there is none, the fp16 edition (diffusers, loading_utils and pipeline_loading_utils.py).
/// </summary>
internal static class DiffusersFolder
{
    /// <summary>The file that marks the layout.</summary>
    public const string IndexFile = "model_index.json";

    /// <summary>The scheduler's settings, which tell what the UNet predicts.</summary>
    public const string SchedulerFile = "scheduler/scheduler_config.json";

    private const int MostBytes = 1 << 20;
    private const int MostDepth = 16;

    private static readonly (ModelPart Part, string Folder, string Safe, string Torch)[] Parts =
    [
        (ModelPart.UNet, "unet", "diffusion_pytorch_model", "diffusion_pytorch_model"),
        (ModelPart.ClipL, "text_encoder", "model", "pytorch_model"),
        (ModelPart.ClipG, "text_encoder_2", "model", "pytorch_model"),
        (ModelPart.Vae, "vae", "diffusion_pytorch_model", "diffusion_pytorch_model"),
    ];

    /// <summary>Whether a folder has diffusers' layout.</summary>
    public static bool IsOne(string folder) => File.Exists(Path.Combine(folder, IndexFile));

    /// <summary>Finds the files of all parts.</summary>
    /// <exception cref="CheckpointException">It is another model, or a part or a file of one is missing.</exception>
    public static ModelFolder Find(string folder)
    {
        RequireSdxl(folder);
        var files = new List<ModelFolderFile>();
        var descriptions = new List<string>();
        List<string> missing = [], present = [];
        foreach ((ModelPart part, string name, string safe, string torch) in Parts)
        {
            if (FindPart(folder, name, safe, torch) is not { } found)
            {
                missing.Add(part.Text());
                continue;
            }

            present.Add(part.Text());
            if (found.Index is { } index) descriptions.Add(index);
            files.AddRange(found.Files.Select(file => new ModelFolderFile(file, part)));
        }

        if (missing.Count > 0) throw new MissingPartException(folder, missing, present);
        if (File.Exists(Path.Combine(folder, SchedulerFile))) descriptions.Add(SchedulerFile);
        return new ModelFolder(folder, [.. files.OrderBy(file => file.Name, StringComparer.Ordinal)], descriptions);
    }

    /// <summary>Reads a JSON object of a model's folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The file's path within the folder.</param>
    /// <param name="mostBytes">The largest file that is read.</param>
    /// <exception cref="ModelFolderException">The file is too large, or no JSON object.</exception>
    /// <exception cref="CheckpointUnreadableException">The file cannot be read.</exception>
    public static JsonElement ReadObject(string folder, string name, int mostBytes = MostBytes)
    {
        string path = Path.Combine(folder, name);
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            if (stream.Length > mostBytes)
                throw ModelFolderException.Description(folder, name, $"it has {stream.Length} bytes, more than {mostBytes}");
            byte[] json = new byte[stream.Length];
            stream.ReadExactly(json);
            RequireText(json);
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MostDepth });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw ModelFolderException.Description(folder, name, "it is no JSON object");
        }
        catch (JsonException exception)
        {
            throw ModelFolderException.Description(folder, name, exception.Message, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointUnreadableException(path, exception);
        }
    }

    // A text that is no UTF-8, or that has half of a surrogate pair, passes as JSON and fails where it is read.
    private static void RequireText(byte[] json)
    {
        if (!Utf8.IsValid(json)) throw new JsonException("it is not UTF-8");
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MostDepth });
        while (reader.Read())
        {
            if (!reader.ValueIsEscaped) continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException exception)
            {
                throw new JsonException("a text in it has half of a surrogate pair", exception);
            }
        }
    }

    // The pipelines of SDXL: StableDiffusionXLPipeline and those for pictures, masks and ControlNets, which have the same parts.
    private static void RequireSdxl(string folder)
    {
        JsonElement index = ReadObject(folder, IndexFile);
        if (!index.TryGetProperty("_class_name", out JsonElement value) || value.ValueKind != JsonValueKind.String) return;
        string pipeline = value.GetString()!;
        if (pipeline.Contains("StableDiffusionXL", StringComparison.Ordinal)) return;
        throw new ModelFolderException(
            folder,
            $"{folder} holds a model for diffusers' {SafetensorsHeader.Shorten(pipeline)}",
            "a model for its StableDiffusionXLPipeline",
            "Take an SDXL base model or one trained from it.");
    }

    private static (string? Index, IReadOnlyList<string> Files)? FindPart(string folder, string part, string safe, string torch)
    {
        string[] names =
        [
            $"{safe}.safetensors",
            $"{safe}.safetensors.index.json",
            $"{safe}.fp16.safetensors",
            $"{safe}.safetensors.index.fp16.json",
            $"{safe}.fp16.safetensors.index.json",
            $"{torch}.bin",
            $"{torch}.bin.index.json",
            $"{torch}.fp16.bin",
        ];
        string? found = names.FirstOrDefault(name => File.Exists(Path.Combine(folder, part, name)));
        if (found is null) return null;
        string file = $"{part}/{found}";
        return found.EndsWith(".json", StringComparison.Ordinal) ? (file, ShardIndex.Files(folder, part, file)) : (null, [file]);
    }
}

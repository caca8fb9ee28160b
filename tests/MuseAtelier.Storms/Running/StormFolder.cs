using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Storms.Running;

/// <summary>A storm's folder with its models and its package cache. A folder that was created here is deleted at the end.</summary>
internal sealed class StormFolder : IDisposable
{
    /// <summary>The environment variable that names another model than the Miniature, for this process and those that it starts.</summary>
    public const string ModelVariable = "MUSE_STORMS_MODEL";

    private readonly bool _own;
    private readonly Lazy<string> _variant;

    /// <summary>Uses an existing folder, or creates one.</summary>
    public StormFolder(string? path = null)
    {
        _own = path is null;
        Path = path ?? Directory.CreateTempSubdirectory("muse-storm-").FullName;
        Cache = System.IO.Path.Combine(Path, "cache");
        _variant = new Lazy<string>(() =>
        {
            string file = Place("variant.safetensors");
            if (!File.Exists(file))
                WriteVariant(file);
            return file;
        });
    }

    /// <summary>The checkpoint that storms paint with: the Miniature, or the one that the variable names.</summary>
    public static string Model => Environment.GetEnvironmentVariable(ModelVariable) is { Length: > 0 } named ? named : Miniature;

    /// <summary>The checkpoint that lies beside the program.</summary>
    public static string Miniature { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "miniature.safetensors");

    public string Path { get; }

    /// <summary>The cache folder of exported packages.</summary>
    public string Cache { get; }

    /// <summary>The second model, which is the first one with other weights in its UNet. It is written when it is first needed.</summary>
    public string Variant => _variant.Value;

    public string Place(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        if (_own)
            Directory.Delete(Path, recursive: true);
    }

    private static void WriteVariant(string path)
    {
        using SafetensorsFile source = SafetensorsFile.Open(Model);
        SafetensorsDeclaration[] tensors =
        [
            .. source
                .Tensors.Values.OrderBy(tensor => tensor.Offset)
                .Select(tensor => new SafetensorsDeclaration(tensor.Name, tensor.Type!.Value, tensor.Shape)),
        ];
        CheckpointVariant.Write(source, path, tensors, Change);
    }

    // The change must be small enough for valid pictures and large enough for different ones.
    private static void Change(string name, float[] values)
    {
        if (!name.StartsWith("model.diffusion_model.", StringComparison.Ordinal))
            return;
        for (int i = 0; i < values.Length; i++)
            values[i] *= 1 + (0.02f * MathF.Sin(i));
    }
}

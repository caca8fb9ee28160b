using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Storms.Running;

/// <summary>A storm's folder with its models and its package cache. A folder that was created here is deleted at the end.</summary>
internal sealed class StormFolder : IDisposable
{
    private readonly bool _own;

    /// <summary>Uses an existing folder, or creates one.</summary>
    public StormFolder(string? path = null)
    {
        _own = path is null;
        Path = path ?? Directory.CreateTempSubdirectory("muse-storm-").FullName;
        Cache = System.IO.Path.Combine(Path, "cache");
        Variant = System.IO.Path.Combine(Path, "variant.safetensors");
        if (!File.Exists(Variant))
            WriteVariant(Variant);
    }

    /// <summary>The checkpoint that lies beside the program.</summary>
    public static string Miniature { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "miniature.safetensors");

    public string Path { get; }

    /// <summary>The cache folder of exported packages.</summary>
    public string Cache { get; }

    /// <summary>The second model, which is the Miniature with other weights in its UNet.</summary>
    public string Variant { get; }

    public string Place(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        if (_own)
            Directory.Delete(Path, recursive: true);
    }

    private static void WriteVariant(string path)
    {
        using SafetensorsFile source = SafetensorsFile.Open(Miniature);
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

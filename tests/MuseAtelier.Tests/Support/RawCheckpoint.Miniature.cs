using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Tests.Support;

// The repository's checkpoint, and the narrow one.
internal sealed partial class RawCheckpoint
{
    /// <summary>Reads the Miniature.</summary>
    public static RawCheckpoint Miniature() => Read(TestAtelier.Checkpoint);

    /// <summary>Reads the narrow checkpoint.</summary>
    public static RawCheckpoint Narrow() => Read(NarrowAtelier.Checkpoint);

    private static RawCheckpoint Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var raw = new RawCheckpoint();
        foreach (SafetensorsTensor tensor in file.Tensors.Values)
            raw.Tensors[tensor.Name] = new Tensor(tensor.TypeName, [.. tensor.Shape], file.Span(tensor).ToArray());
        foreach ((string name, string value) in file.Metadata) raw.Metadata[name] = value;
        return raw;
    }
}

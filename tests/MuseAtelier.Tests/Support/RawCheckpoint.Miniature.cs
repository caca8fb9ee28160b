using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Tests.Support;

// The repository's checkpoint.
internal sealed partial class RawCheckpoint
{
    /// <summary>Reads the Miniature.</summary>
    public static RawCheckpoint Miniature()
    {
        using SafetensorsFile file = SafetensorsFile.Open(TestAtelier.Checkpoint);
        var raw = new RawCheckpoint();
        foreach (SafetensorsTensor tensor in file.Tensors.Values)
            raw.Tensors[tensor.Name] = new Tensor(tensor.TypeName, [.. tensor.Shape], file.Span(tensor).ToArray());
        foreach ((string name, string value) in file.Metadata) raw.Metadata[name] = value;
        return raw;
    }
}

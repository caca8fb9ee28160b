using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Loras;

/// <summary>A folder with random LoRAs for the Miniature, over all layers that LoRAs usually change.</summary>
public sealed class LoraFiles : IDisposable
{
    private const int Rank = 4;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muse-lora-");

    public LoraFiles()
    {
        A = Write("a", seed: 1, convolutions: false);
        B = Write("b", seed: 2, convolutions: false);
        Convolutions = Write("convolutions", seed: 3, convolutions: true);
    }

    /// <summary>A LoRA of linear layers.</summary>
    public string A { get; }

    /// <summary>Another one.</summary>
    public string B { get; }

    /// <summary>One that changes convolutions as well.</summary>
    public string Convolutions { get; }

    /// <summary>The path of a file of a name.</summary>
    public string this[string name] => Path.Combine(_folder.FullName, name);

    /// <summary>Writes another LoRA.</summary>
    public string Write(string name, ulong seed, bool convolutions)
    {
        using SafetensorsFile checkpoint = SafetensorsFile.Open(TestAtelier.Checkpoint);
        IReadOnlyList<KeyValuePair<string, IReadOnlyList<long>>> shapes = RandomLora.Shapes(
            checkpoint.Tensors.Values.Select(tensor => KeyValuePair.Create(tensor.Name, tensor.Shape)), Rank, convolutions);
        string path = this[name + ".safetensors"];
        RandomCheckpoint.Write(path, shapes, seed: seed, cancellationToken: TestContext.Current.CancellationToken);
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

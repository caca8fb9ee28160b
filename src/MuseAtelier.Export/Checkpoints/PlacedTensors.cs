namespace MuseAtelier.Export.Checkpoints;

/// <summary>A tensor of a model in several files.</summary>
/// <param name="Tensor">The tensor under its name in single-file checkpoints.</param>
/// <param name="File">The file that holds it.</param>
/// <param name="Source">The tensor as that file describes it.</param>
internal sealed record PlacedTensor(SafetensorsTensor Tensor, TensorFile File, SafetensorsTensor Source);

/// <summary>Collects the tensors of a model in several files under the names of single-file checkpoints.</summary>
/// <param name="path">Path of the model.</param>
internal sealed class PlacedTensors(string path)
{
    private readonly Dictionary<string, PlacedTensor> _all = new(StringComparer.Ordinal);

    /// <summary>The tensors by their names in single-file checkpoints.</summary>
    public IReadOnlyDictionary<string, PlacedTensor> All => _all;

    /// <summary>Adds the tensors of a part.</summary>
    /// <param name="part">The part.</param>
    /// <param name="files">Its files, the prefix of its tensors' names in each, and the files' names for messages.</param>
    /// <exception cref="ModelFolderException">Two files hold the same tensor, or they hold too many.</exception>
    public void Add(ModelPart part, IReadOnlyList<(TensorFile File, string Prefix, string Name)> files)
    {
        var sources = new Dictionary<string, (TensorFile File, SafetensorsTensor Tensor, string Name)>(StringComparer.Ordinal);
        foreach ((TensorFile file, string prefix, string name) in files)
        {
            foreach (SafetensorsTensor tensor in file.Tensors.Values)
            {
                if (!tensor.Name.StartsWith(prefix, StringComparison.Ordinal)) continue;
                string inner = tensor.Name[prefix.Length..];
                if (sources.TryGetValue(inner, out var other)) throw Twice(inner, other.Name, name);
                sources[inner] = (file, tensor, name);
            }
        }

        if (sources.Count > SafetensorsHeader.MostTensors) throw new ModelFolderException(
            path,
            $"the files of the {part.Text()} of {path} name {sources.Count} tensors",
            $"at most {SafetensorsHeader.MostTensors}",
            "Take the model's own files.");
        foreach ((string inner, string name) in PartNames.Translate(part, sources.Keys))
        {
            (TensorFile file, SafetensorsTensor tensor, string fileName) = sources[inner];
            if (!_all.TryAdd(name, new PlacedTensor(tensor with { Name = name }, file, tensor))) throw Twice(name, fileName, fileName);
        }
    }

    /// <summary>Adds the tensors by which a file marks what its UNet predicts.</summary>
    public void AddMarks(TensorFile file)
    {
        foreach (string name in PredictionMarks.TensorMarks)
        {
            if (file.Tensors.TryGetValue(name, out SafetensorsTensor? tensor)) _all.TryAdd(name, new PlacedTensor(tensor, file, tensor));
        }
    }

    private ModelFolderException Twice(string tensor, string first, string second) => new(
        path,
        $"{first} and {second} of {path} both hold the tensor '{SafetensorsHeader.Shorten(tensor)}'",
        "each tensor once",
        "The files are of different editions: take those of one.");
}

using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier;

/// <summary>
/// A file of PyTorch asks for something else than tensors: a name of Python that is not on the list, or an instruction that could run
/// code. Nothing of it was executed.
/// </summary>
public sealed class ForbiddenPickleException : CheckpointException
{
    internal ForbiddenPickleException(string path, string name)
        : base(
            path,
            $"the pickle of {path} asks for {SafetensorsHeader.Shorten(name)}",
            "tensors, numbers, texts and dictionaries alone",
            "Nothing of it was executed. Take the .safetensors edition, or a file that holds the weights alone (a state_dict).") =>
            Name = name;

    /// <summary>The name of Python or the instruction that is refused.</summary>
    public string Name { get; }
}

/// <summary>The pickle of a PyTorch file is damaged, or it is too large to be one of weights.</summary>
public sealed class PickleException : CheckpointException
{
    internal PickleException(string path, string found)
        : base(
            path,
            $"the pickle of {path} cannot be read: {found}",
            "the weights of a model as torch.save writes them",
            "The file is damaged or hand-made: fetch it again, or take the .safetensors edition.")
    {
    }
}

/// <summary>The zip archive of a PyTorch file is damaged, or it is not one of torch.save.</summary>
public sealed class TorchArchiveException : CheckpointException
{
    internal TorchArchiveException(string path, string found)
        : base(
            path,
            $"the zip archive {path} cannot be read: {found}",
            "an archive of torch.save: one folder of entries that are stored without compression",
            "Fetch the file again, or unpack the archive that it came in; or take the .safetensors edition.")
    {
    }
}

using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier;

/// <summary>A checkpoint that cannot be used as it is.</summary>
public abstract class CheckpointException : MuseAtelierException
{
    private protected CheckpointException(string path, string found, string expected, string remedy, Exception? inner = null)
        : base(found, expected, remedy, inner) => Path = path;

    /// <summary>Path of the checkpoint as it was given.</summary>
    public string Path { get; }
}

/// <summary>There is no such file.</summary>
public sealed class CheckpointNotFoundException : CheckpointException
{
    internal CheckpointNotFoundException(string path)
        : base(
            path,
            $"there is no file {path}",
            "the path of an existing file",
            "Check the spelling; relative paths start at the working folder.")
    {
    }
}

/// <summary>The path names a folder, but a single file is needed.</summary>
public sealed class CheckpointFolderException : CheckpointException
{
    internal CheckpointFolderException(string path, bool isDiffusers)
        : base(
            path,
            isDiffusers ? $"{path} is a folder in diffusers' layout (model_index.json)" : $"{path} is a folder without a model's files",
            isDiffusers ? "the path of a file" : "the path of a file, or of a folder with model_index.json or .safetensors files",
            "Give the path of the file itself.") =>
            IsDiffusers = isDiffusers;

    /// <summary>Whether the folder holds a model in diffusers' layout.</summary>
    public bool IsDiffusers { get; }
}

/// <summary>The system refused to read the file.</summary>
public sealed class CheckpointUnreadableException : CheckpointException
{
    internal CheckpointUnreadableException(string path, Exception inner)
        : base(
            path,
            $"{path} cannot be read ({inner.Message.TrimEnd('.')})",
            "a readable file",
            "Check its permissions and the disk.",
            inner)
    {
    }
}

/// <summary>The system refused to write a checkpoint. The partial file was deleted.</summary>
public sealed class CheckpointNotWrittenException : CheckpointException
{
    internal CheckpointNotWrittenException(string path, Exception inner)
        : base(
            path,
            $"{path} cannot be written ({inner.Message.TrimEnd('.')})",
            "a folder that is there and may be written to, on a disk with room",
            "Create the folder, free some space or choose another; nothing half-written was left behind.",
            inner)
    {
    }
}

/// <summary>The file is not in the safetensors format.</summary>
public sealed class NotSafetensorsException : CheckpointException
{
    internal NotSafetensorsException(string path, string? recognised, string remedy)
        : base(path, $"{path} is {recognised ?? "not a safetensors file"}", "a safetensors file", remedy) => Recognised = recognised;

    /// <summary>The actual kind of the file, in words; null when it is unknown.</summary>
    public string? Recognised { get; }
}

/// <summary>The file ends before the data that its header describes.</summary>
public sealed class CheckpointTruncatedException : CheckpointException
{
    internal CheckpointTruncatedException(string path, long bytes, long expectedBytes)
        : base(
            path,
            Invariant($"{path} ends after {bytes:N0} bytes"),
            Invariant($"at least {expectedBytes:N0} bytes by its header"),
            "The download or copy was cut off: fetch the file again.")
    {
        Bytes = bytes;
        ExpectedBytes = expectedBytes;
    }

    /// <summary>Size of the file in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Size in bytes that the header requires.</summary>
    public long ExpectedBytes { get; }
}

/// <summary>The file states an impossible length for its header.</summary>
public sealed class CheckpointHeaderLengthException : CheckpointException
{
    internal CheckpointHeaderLengthException(string path, ulong length)
        : base(
            path,
            Invariant($"{path} states a header of {length:N0} bytes"),
            Invariant($"2 to {SafetensorsFile.MaxHeaderBytes:N0} bytes"),
            "The file is damaged: fetch it again.") =>
            Length = length;

    /// <summary>The length in bytes that the file states.</summary>
    public ulong Length { get; }
}

/// <summary>The header is not JSON, or it is JSON of another form than the safetensors format defines.</summary>
public sealed class CheckpointHeaderException : CheckpointException
{
    internal CheckpointHeaderException(string path, string found, Exception? inner = null)
        : base(
            path,
            $"the header of {path} is unusable: {found}",
            "JSON with dtype, shape and data_offsets for each tensor",
            Remedies.Damaged,
            inner)
    {
    }
}

/// <summary>The header contains the same name twice.</summary>
public sealed class DuplicateTensorException : CheckpointException
{
    internal DuplicateTensorException(string path, string name)
        : base(
            path,
            $"the header of {path} names '{SafetensorsHeader.Shorten(name)}' twice",
            "each name once",
            Remedies.Damaged) =>
            Name = name;

    /// <summary>The name that occurs twice.</summary>
    public string Name { get; }
}

/// <summary>A tensor's range in the file is impossible, or it overlaps the range of another tensor.</summary>
public sealed class TensorRangeException : CheckpointException
{
    internal TensorRangeException(string path, string name, string found)
        : base(
            path,
            $"tensor '{SafetensorsHeader.Shorten(name)}' of {path} {found}",
            "a range of its own within the data",
            Remedies.Damaged) =>
            Name = name;

    /// <summary>The tensor's name.</summary>
    public string Name { get; }
}

/// <summary>A tensor's shape does not fit its size in bytes.</summary>
public sealed class TensorShapeException : CheckpointException
{
    internal TensorShapeException(string path, string name, string found, string expected)
        : base(path, $"tensor '{SafetensorsHeader.Shorten(name)}' of {path} {found}", expected, Remedies.Damaged) => Name = name;

    /// <summary>The tensor's name.</summary>
    public string Name { get; }
}

/// <summary>A required tensor has an element type that is not supported.</summary>
public sealed class TensorTypeException : CheckpointException
{
    internal TensorTypeException(string path, string name, string type, int others = 0)
        : base(
            path,
            $"tensor '{SafetensorsHeader.Shorten(name)}' of {path} has type {SafetensorsHeader.Shorten(type)}{Others(others)}",
            TensorMismatch.ReadTypes,
            "Take the fp16 edition of this checkpoint: integer weights and other quantised ones are not read.")
    {
        Name = name;
        Type = type;
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>The element type as the file names it.</summary>
    public string Type { get; }

    private static string Others(int count)
    {
        if (count == 0) return "";
        string tensors = count == 1 ? "tensor" : "tensors";
        return Invariant($" ({count} other {tensors} with it have types that are not read either)");
    }
}

/// <summary>The file lacks a whole part of the model.</summary>
public sealed class MissingPartException : CheckpointException
{
    internal MissingPartException(string path, IReadOnlyList<string> missing, IReadOnlyList<string> present)
        : base(
            path,
            $"{path} has no {string.Join(" and no ", missing)}: it holds only {Describe(present)}",
            "UNet, CLIP-L, CLIP-G and VAE",
            "Take the complete checkpoint, one file of about 6.9 GB in fp16, or put all parts into one folder and give its path.")
    {
        Missing = missing;
        Present = present;
    }

    /// <summary>The parts that are missing: "UNet", "CLIP-L", "CLIP-G", "VAE" or "VAE decoder".</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>The parts that the file has, by the same names.</summary>
    public IReadOnlyList<string> Present { get; }

    private static string Describe(IReadOnlyList<string> parts) => parts.Count == 0 ? "other things" : string.Join(", ", parts);
}

/// <summary>The noise levels that a file states for its model are impossible.</summary>
public sealed class SigmaRangeException : CheckpointException
{
    internal SigmaRangeException(string path, SigmaRange range)
        : base(
            path,
            Invariant($"{path} states noise levels from {range.Least} to {range.Most} (edm_vpred.sigma_min and edm_vpred.sigma_max)"),
            Invariant($"a least sigma above 0, and a larger one up to {SigmaRange.Largest}"),
            Remedies.Damaged)
    {
        Least = range.Least;
        Most = range.Most;
    }

    /// <summary>The least sigma that the file states.</summary>
    public float Least { get; }

    /// <summary>The largest sigma that the file states.</summary>
    public float Most { get; }
}

/// <summary>The weights are quantised in a format that is not supported.</summary>
public sealed class QuantisedCheckpointException : CheckpointException
{
    internal QuantisedCheckpointException(string path, string format, string tensor)
        : base(
            path,
            $"{path} holds weights quantised as {format} (it has a tensor '{SafetensorsHeader.Shorten(tensor)}')",
            TensorMismatch.ReadTypes,
            "Take the fp16 edition of this checkpoint.") =>
            Format = format;

    /// <summary>The format in words.</summary>
    public string Format { get; }
}

/// <summary>Remedies that several failures share.</summary>
file static class Remedies
{
    public const string Damaged = "The file is damaged or hand-made: fetch it again.";
}

using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier;

/// <summary>
/// A folder does not hold one SDXL model: in diffusers' layout, or with its parts in files of their own. A file of it is missing, holds
/// something else, or is described by an index that cannot be used.
/// </summary>
public sealed class ModelFolderException : CheckpointException
{
    internal ModelFolderException(string path, string found, string expected, string remedy, Exception? inner = null)
        : base(path, found, expected, remedy, inner)
    {
    }

    internal static ModelFolderException Description(string path, string file, string fault, Exception? inner = null) => new(
        path,
        $"{file} in {path} cannot be used: {SafetensorsHeader.Shorten(fault).TrimEnd('.')}",
        "the file as diffusers writes it",
        "The file is damaged or hand-made: fetch it again.",
        inner);
}

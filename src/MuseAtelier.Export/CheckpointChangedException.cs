using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export;

/// <summary>The checkpoint was replaced or written to during the export, so the data read may belong to different files.</summary>
/// <param name="path">Path of the checkpoint as it was given.</param>
public sealed class CheckpointChangedException(string path)
    : CheckpointException(
        path,
        $"{path} was changed while it was exported",
        "a checkpoint that stays as it is until the export is done",
        "Wait until its download or copy is finished, then try again; nothing was left behind.");

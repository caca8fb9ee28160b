using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier;

/// <summary>The checkpoint was replaced or written to during the export, so the data read may belong to different files.</summary>
public sealed class CheckpointChangedException : CheckpointException
{
    internal CheckpointChangedException(string path)
        : base(
            path,
            $"{path} was changed while it was exported",
            "a checkpoint that stays as it is until the export is done",
            "Wait until its download or copy is finished, then try again; nothing was left behind.")
    {
    }
}

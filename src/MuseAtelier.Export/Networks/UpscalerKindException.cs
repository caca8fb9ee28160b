using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier;

/// <summary>The file holds no upscaler, or one of a network that is not supported.</summary>
public sealed class UpscalerKindException : CheckpointException
{
    internal UpscalerKindException(string path, string? kind, IReadOnlyList<string> names)
        : base(
            path,
            $"{path} {(kind is null ? "holds no upscaler that is known here" : $"is an upscaler of the kind {kind}")} ({Describe(names)})",
            "an upscaler of the ESRGAN family: RRDB (ESRGAN, Real-ESRGAN) or Real-ESRGAN's compact network",
            "Take such a model, for example RealESRGAN_x4plus.pth or realesr-general-x4v3.pth.")
    {
        Kind = kind;
        Names = names;
    }

    /// <summary>The kind of network where it is recognised, such as SwinIR; else null.</summary>
    public string? Kind { get; }

    /// <summary>The first names of the file's tensors.</summary>
    public IReadOnlyList<string> Names { get; }

    private static string Describe(IReadOnlyList<string> names) =>
        names.Count == 0 ? "it has no tensors" : $"its tensors begin with '{string.Join("', '", names)}'";
}

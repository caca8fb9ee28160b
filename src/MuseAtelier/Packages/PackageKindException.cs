using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>The package of an upscaler was given where a model that paints is needed, or the other way round.</summary>
public sealed class PackageKindException : PackageException
{
    internal PackageKindException(string package, bool isUpscaler)
        : base(
            package,
            $"{package} is the package of {(isUpscaler ? "an upscaler" : "a model that paints")}",
            isUpscaler ? "the package of a model that paints" : "the package of an upscaler",
            isUpscaler ? "Enlarge pictures with it: muse upscale --model." : "Give an upscaler's file, such as RealESRGAN_x4plus.pth.") =>
            IsUpscaler = isUpscaler;

    /// <summary>Whether the package is that of an upscaler.</summary>
    public bool IsUpscaler { get; }
}

using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>The package was lowered for another kind of device than the backend runs on.</summary>
public sealed class PackageLoweringException : PackageException
{
    internal PackageLoweringException(string package, Lowering found, Lowering expected)
        : base(
            package,
            $"{package} was exported for {found}",
            $"{expected}, which this backend runs",
            $"Open the checkpoint itself, or export it again for {nameof(Lowering)}.{expected}.")
    {
    }
}

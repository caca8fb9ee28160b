using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>The package's parts have other precisions than the requested ones.</summary>
public sealed class PackagePrecisionException : PackageException
{
    internal PackagePrecisionException(string package, Precisions found, Precisions expected)
        : base(
            package,
            $"{package} computes with {found}",
            expected.ToString(),
            "Open the checkpoint itself, which is exported as asked for, or export it so with muse-export.")
    {
    }
}

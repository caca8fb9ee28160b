using MuseAtelier.Packages;

namespace MuseAtelier;

/// <summary>The package's parts compute in another arithmetic than was asked for.</summary>
public sealed class PackagePrecisionException(string package, Precisions found, Precisions expected)
    : PackageException(
        package,
        $"{package} computes with {found}",
        expected.ToString(),
        "Open the checkpoint itself, which is exported as asked for, or export it so with muse-export.");

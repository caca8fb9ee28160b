using MuseAtelier.Cli.Choices;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli;

/// <summary>Reads the files of sources and masks that a command line names.</summary>
internal static class SourceFiles
{
    /// <summary>Reads a source and its mask.</summary>
    /// <param name="sourcePath">Path of the source.</param>
    /// <param name="maskPath">
    /// Path of the mask, <see cref="SourceChoices.Transparency"/> for the source's transparent parts, or null.
    /// </param>
    /// <param name="stop">Stops the reading.</param>
    /// <exception cref="PictureFileException">A file cannot be read.</exception>
    /// <exception cref="OpaqueSourceException">The source has no transparent parts.</exception>
    public static async Task<(SourceImage Source, MaskImage? Mask)> LoadAsync(string sourcePath, string? maskPath, CancellationToken stop)
    {
        SourceImage source = await SourceFile.LoadAsync(sourcePath, null, stop);
        if (maskPath is null) return (source, null);
        if (maskPath != SourceChoices.Transparency) return (source, await SourceFile.LoadMaskAsync(maskPath, null, stop));
        if (source.Alpha.IsEmpty) throw new OpaqueSourceException(sourcePath);
        return (source, MaskImage.OfTransparency(source));
    }
}

/// <summary>A source should give its own mask, but has no transparent parts.</summary>
internal sealed class OpaqueSourceException(string path)
    : MuseAtelierException(
        $"{path} has no transparent parts",
        $"a picture with an alpha channel for --mask {SourceChoices.Transparency}",
        "Give the mask as a file of its own: --mask FILE, white where is painted anew.");

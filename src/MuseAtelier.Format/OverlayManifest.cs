using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier.Format;

/// <summary>
/// The content of an overlay's <c>manifest.json</c>. An overlay is a package that replaces stages of another one, its base, and holds only
/// the files of those stages. It lies beside its base, in the same folder.
/// </summary>
internal sealed record OverlayManifest
{
    /// <summary>Version of the package format.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>Version of the program that wrote the overlay.</summary>
    public required string ExporterVersion { get; init; }

    /// <summary>The name of the changed model.</summary>
    public required string Name { get; init; }

    /// <summary>The VAE that replaces the base's, if that is the only change; the model keeps its name and digest then.</summary>
    public VaeSpec? Vae { get; init; }

    /// <summary>The package that the overlay changes.</summary>
    public required BaseSpec Base { get; init; }

    /// <summary>The stages that replace those of the same component and name.</summary>
    public required IReadOnlyList<OverlayStage> Stages { get; init; }

    /// <summary>Every file of the overlay except the manifest. No file of the base has the same name.</summary>
    public required IReadOnlyList<FileSpec> Files { get; init; }

    /// <summary>Writes the manifest into a folder, and flushes it to the disk.</summary>
    public void Write(string folder) =>
        ManifestReader.Write(folder, JsonSerializer.SerializeToUtf8Bytes(this, OverlayJson.Default.OverlayManifest));
}

/// <summary>The base of an overlay.</summary>
/// <param name="Folder">Name of the base's folder, which lies beside the overlay's.</param>
/// <param name="ManifestSha256">SHA-256 of the base's manifest, lower-case hex, which states the digests of all its files.</param>
internal sealed record BaseSpec(string Folder, string ManifestSha256);

/// <summary>A stage of an overlay.</summary>
/// <param name="Component">The component that it belongs to.</param>
/// <param name="Stage">The stage: all its files are the overlay's, except that a transformer stage keeps the base's graph.</param>
internal sealed record OverlayStage(string Component, StageSpec Stage);

/// <summary>Where the files of an opened overlay and of its base lie.</summary>
/// <param name="BaseFolder">Full path of the base's folder.</param>
/// <param name="OwnFiles">Names of the files that lie in the overlay's own folder.</param>
internal sealed record OverlayOrigin(string BaseFolder, IReadOnlySet<string> OwnFiles);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NewLine = "\n",
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OverlayManifest))]
internal sealed partial class OverlayJson : JsonSerializerContext;

using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MuseAtelier.Format;

/// <summary>Reads the manifests of packages and overlays, and lays an overlay over its base.</summary>
internal static class ManifestReader
{
    /// <summary>The largest manifest that is read, in bytes. The manifest of SDXL has less than 2 MB.</summary>
    private const int MostBytes = 16 << 20;

    /// <summary>The most characters of a JSON reader's message that are quoted.</summary>
    private const int LongestMessage = 200;

    // A model is opened in two steps that read its manifest, the search in the cache and the opening. Parsing is a tenth of that time.
    private static readonly WeakReference<ReadManifest?> Last = new(null);

    /// <summary>Reads and checks a manifest, together with the base's manifest if it is an overlay.</summary>
    /// <exception cref="PackageException">The package cannot be used. Each cause has its own type.</exception>
    public static PackageManifest Read(string folder) => ReadAny(folder) with { Folder = folder };

    /// <summary>Writes a manifest into a folder, and flushes it to the disk.</summary>
    public static void Write(string folder, byte[] json)
    {
        using var file = new FileStream(
            Path.Combine(folder, PackageManifest.FileName), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1);
        file.Write(json);
        file.Flush(flushToDisk: true);
    }

    /// <summary>SHA-256 of a package's manifest, lower-case hex.</summary>
    public static string Digest(string folder) => Sha256.Hash(ReadBytes(folder));

    private static PackageManifest ReadAny(string folder)
    {
        byte[] json = ReadBytes(folder);
        lock (Last)
            if (Last.TryGetTarget(out ReadManifest? last) && last.Json.AsSpan().SequenceEqual(json)) return last.Manifest;
        return Guarded(folder, () => IsOverlay(folder, json) ? ReadOverlay(folder, json) : Parse(folder, json));
    }

    private static PackageManifest ReadOverlay(string folder, byte[] json)
    {
        OverlayManifest overlay = JsonSerializer.Deserialize(json, OverlayJson.Default.OverlayManifest)
            ?? throw new PackageManifestException(folder, $"the manifest of {folder} is empty");
        ManifestRules.Check(folder, overlay);
        string parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) ?? "";
        string baseFolder = Path.Combine(parent, overlay.Base.Folder);
        byte[] baseJson = ReadBase(folder, baseFolder);
        if (Sha256.Hash(baseJson) != overlay.Base.ManifestSha256)
            throw new PackageBaseException(folder, baseFolder, "another package lies there");
        if (IsOverlay(baseFolder, baseJson)) throw new PackageBaseException(folder, baseFolder, "that is an overlay itself");
        PackageManifest manifest = Merge(folder, overlay, Guarded(baseFolder, () => Parse(baseFolder, baseJson)), baseFolder);
        ManifestRules.Check(folder, manifest);
        return manifest;
    }

    private static byte[] ReadBase(string folder, string baseFolder)
    {
        try
        {
            return ReadBytes(baseFolder);
        }
        catch (PackageManifestException exception)
        {
            throw new PackageBaseException(folder, baseFolder, "no package lies there", exception);
        }
    }

    private static PackageManifest Merge(string folder, OverlayManifest overlay, PackageManifest basis, string baseFolder)
    {
        Dictionary<(string Component, string Stage), StageSpec> replaced =
            overlay.Stages.ToDictionary(entry => (entry.Component, entry.Stage.Name), entry => entry.Stage);
        var components = new List<ComponentSpec>();
        foreach (ComponentSpec component in basis.Components)
            components.Add(component with { Stages = [.. component.Stages.Select(stage => Replace(component, stage))] });
        if (replaced.Keys.FirstOrDefault() is { Component: not null } unknown)
            throw new PackageManifestException(folder, $"{folder} replaces {unknown.Stage} of {unknown.Component}, which its base lacks");
        return basis with
        {
            // A VAE is named beside the model. It changes no other part, which the rules check.
            Checkpoint = overlay.Vae is null
                ? basis.Checkpoint with { Name = overlay.Name, Sha256 = Identity(basis, overlay) }
                : basis.Checkpoint,
            Vae = overlay.Vae,
            Components = components,
            Files = [.. basis.Files, .. overlay.Files],
            Overlay = new OverlayOrigin(baseFolder, overlay.Files.Select(file => file.Name).ToHashSet(StringComparer.Ordinal)),
        };

        StageSpec Replace(ComponentSpec component, StageSpec stage)
        {
            if (!replaced.Remove((component.Name, stage.Name), out StageSpec? other)) return stage;
            bool isAlike = other.Kind == stage.Kind
                && other.Inputs.SequenceEqual(stage.Inputs)
                && other.Outputs.SequenceEqual(stage.Outputs);
            if (isAlike) return other;
            throw new PackageManifestException(folder, $"{folder} replaces {stage.Name} of {component.Name} by one of other tensors");
        }
    }

    // Takes the place of the digest of the changed model's checkpoint, which does not exist. It changes with the base and with each
    // replaced byte, so that a picture's record never takes a changed model for the unchanged one.
    private static string Identity(PackageManifest basis, OverlayManifest overlay)
    {
        IEnumerable<string> files = overlay.Files.OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => file.Sha256);
        return Sha256.Hash(Encoding.UTF8.GetBytes(string.Join('\n', files.Prepend(basis.Checkpoint.Sha256))));
    }

    private static PackageManifest Parse(string folder, byte[] json)
    {
        PackageManifest manifest = JsonSerializer.Deserialize(json, ManifestJson.Default.PackageManifest)
            ?? throw new PackageManifestException(folder, $"the manifest of {folder} is empty");
        ManifestRules.Check(folder, manifest);
        lock (Last) Last.SetTarget(new ReadManifest(json, manifest));
        return manifest;
    }

    // The version must be checked first, because a manifest of another format may have other members.
    private static bool IsOverlay(string folder, byte[] json) => Guarded(folder, () =>
    {
        using JsonDocument document = JsonDocument.Parse(json);
        if (document.RootElement.TryGetProperty("formatVersion", out JsonElement version) && version.TryGetInt32(out int number)
            && number != PackageManifest.CurrentFormatVersion)
            throw new PackageFormatVersionException(folder, number);
        return document.RootElement.TryGetProperty("base", out _);
    });

    private static T Guarded<T>(string folder, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (
            exception is JsonException or FormatException or InvalidOperationException or OverflowException
            or ArgumentException or NotSupportedException)
        {
            string path = Path.Combine(folder, PackageManifest.FileName);
            throw new PackageManifestException(folder, $"{path} is no manifest ({Shorten(exception.Message)})", exception);
        }
    }

    // The JSON reader's message about a damaged literal quotes the rest of the file.
    private static string Shorten(string message) =>
        message.Length <= LongestMessage ? message.TrimEnd('.') : $"{message.AsSpan(0, LongestMessage)}…";

    // The size must be checked before memory is allocated, because the file may be of any size.
    private static byte[] ReadBytes(string folder)
    {
        string path = Path.Combine(folder, PackageManifest.FileName);
        if (!File.Exists(path)) throw new PackageManifestException(folder, $"{folder} holds no {PackageManifest.FileName}");
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            if (stream.Length > MostBytes)
            {
                string size = stream.Length.ToString("N0", CultureInfo.InvariantCulture);
                throw new PackageManifestException(folder, $"{path} has {size} bytes, more than a manifest can have");
            }

            byte[] json = new byte[stream.Length];
            stream.ReadExactly(json);
            return json;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PackageUnreadableException(folder, exception);
        }
    }

    // A manifest that keeps all rules, and the bytes that it was read from.
    private sealed record ReadManifest(byte[] Json, PackageManifest Manifest);
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier.Format;

/// <summary>The known models: the content of <c>models.lock</c>.</summary>
internal sealed record ModelsLock
{
    /// <summary>Name of the file, at the root of the repository.</summary>
    public const string FileName = "models.lock";

    /// <summary>The version of the file format that is read.</summary>
    public const int CurrentVersion = 1;

    private const int BufferBytes = 1 << 20;
    private const int MostBytes = 1 << 20;

    /// <summary>Version of the file format.</summary>
    public required int Version { get; init; }

    /// <summary>Every model.</summary>
    public required IReadOnlyList<ModelEntry> Models { get; init; }

    /// <summary>The list that was built into this library.</summary>
    public static ModelsLock Embedded { get; } = ReadEmbedded();

    /// <summary>Reads a list.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="ModelsLockException">There is no such file, or it has another format.</exception>
    public static ModelsLock Read(string path)
    {
        if (!File.Exists(path)) throw new ModelsLockException(path, $"there is no file {path}");
        try
        {
            using FileStream stream = File.OpenRead(path);
            return Read(stream, path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelsLockException(path, $"{path} cannot be read ({exception.Message.TrimEnd('.')})", exception);
        }
    }

    /// <summary>The model with a name or file name, in any case; null if there is none.</summary>
    public ModelEntry? Find(string name) => Models.FirstOrDefault(model =>
        model.Name.Equals(name, StringComparison.OrdinalIgnoreCase) || model.File.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Compares a file with a known model. Reads the whole file, unless its size already differs.</summary>
    /// <param name="entry">The model.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="progress">Receives the share that was read, 0 to 1, on the calling thread.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public static ModelCheck Verify(
        ModelEntry entry, string path, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (!File.Exists(path)) return new ModelCheck(ModelState.Absent, null, null);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        long bytes = stream.Length;
        if (entry.Bytes is long expected && expected != bytes) return new ModelCheck(ModelState.SizeDiffers, bytes, null);
        string sha256 = Hash(stream, progress, cancellationToken);
        if (entry.Sha256 is null) return new ModelCheck(ModelState.DigestUnknown, bytes, sha256);
        bool isEqual = sha256.Equals(entry.Sha256, StringComparison.OrdinalIgnoreCase);
        return new ModelCheck(isEqual ? ModelState.Right : ModelState.DigestDiffers, bytes, sha256);
    }

    private static string Hash(FileStream stream, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        using var hash = new Sha256();
        byte[] buffer = new byte[BufferBytes];
        long done = 0;
        while (stream.Read(buffer) is int read and > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.Append(buffer.AsSpan(0, read));
            done += read;
            progress?.Report((double)done / Math.Max(done, stream.Length));
        }

        return hash.Finish();
    }

    // A file name must not lead out of the folder that is searched.
    private static bool IsSound(ModelEntry? model) =>
        model is null || (model.Name.Length > 0 && IsFileName(model.File) && model.Bytes is null or >= 0
        && (model.Path is null || (!System.IO.Path.IsPathRooted(model.Path)
            && model.Path.Split('/', '\\').All(part => part.Length > 0 && part != ".."))));

    private static bool IsFileName(string name) =>
        name.Length > 0 && name is not ("." or "..") && name.IndexOfAny(['/', '\\', ':', '\0']) < 0;

    private static ModelsLock ReadEmbedded()
    {
        using Stream stream = typeof(ModelsLock).Assembly.GetManifestResourceStream(FileName)
            ?? throw new ModelsLockException(FileName, $"this library was built without {FileName}");
        return Read(stream, FileName);
    }

    private static ModelsLock Read(Stream stream, string path)
    {
        if (stream.Length > MostBytes) throw new ModelsLockException(
            path, FormattableString.Invariant($"{path} has {stream.Length:N0} bytes, more than a list of models can have"));
        try
        {
            ModelsLock models = JsonSerializer.Deserialize(stream, ModelsLockJson.Default.ModelsLock)
                ?? throw new ModelsLockException(path, $"{path} is empty");
            if (models.Version != CurrentVersion) throw new ModelsLockException(
                path, FormattableString.Invariant($"{path} has version {models.Version}"));
            if (models.Models.FirstOrDefault(model => !IsSound(model)) is { } unsound) throw new ModelsLockException(
                path, $"{path} describes '{unsound.Name}' as no model can be");
            return models.Models.Contains(null!) ? throw new ModelsLockException(path, $"a model in {path} is null") : models;
        }
        catch (Exception exception) when (
            exception is JsonException or FormatException or InvalidOperationException or UriFormatException or ArgumentException)
        {
            throw new ModelsLockException(path, $"{path} is no list of models ({exception.Message})", exception);
        }
    }
}

/// <summary>A known model. Null members are unknown, because no source states them.</summary>
internal sealed record ModelEntry
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>The publisher's name of the checkpoint's file.</summary>
    public required string File { get; init; }

    /// <summary>Path within the repository, for a model that is part of it; null for others.</summary>
    public string? Path { get; init; }

    /// <summary>Page where the model is published; null for a model of this repository.</summary>
    public Uri? Page { get; init; }

    /// <summary>Size of the file in bytes.</summary>
    public long? Bytes { get; init; }

    /// <summary>SHA-256 of the file, lower-case hex.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The licence, by its SPDX identifier or as the publisher names it.</summary>
    public string? License { get; init; }

    /// <summary>The source of size and digest, and remarks.</summary>
    public string? Note { get; init; }
}

/// <summary>How a file compares with a known model.</summary>
internal enum ModelState
{
    /// <summary>There is no such file.</summary>
    Absent,

    /// <summary>The file has another size.</summary>
    SizeDiffers,

    /// <summary>The file has another digest.</summary>
    DigestDiffers,

    /// <summary>The file has the known digest.</summary>
    Right,

    /// <summary>The file is there, but no digest is known to compare it with.</summary>
    DigestUnknown,
}

/// <summary>The outcome of comparing a file with a model.</summary>
/// <param name="State">How the file compares.</param>
/// <param name="Bytes">Size of the file; null if it is absent.</param>
/// <param name="Sha256">SHA-256 of the file, lower-case hex; null if it was not read.</param>
internal sealed record ModelCheck(ModelState State, long? Bytes, string? Sha256);

/// <summary>The list of models cannot be read.</summary>
internal sealed class ModelsLockException(string path, string found, Exception? inner = null)
    : MuseAtelierException(
        found,
        $"a {ModelsLock.FileName} of version {ModelsLock.CurrentVersion}",
        "Restore the file from the repository.",
        inner)
{
    /// <summary>Path of the list.</summary>
    public string Path { get; } = path;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ModelsLock))]
internal sealed partial class ModelsLockJson : JsonSerializerContext;

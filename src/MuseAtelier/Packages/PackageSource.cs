using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Export.Storage;

namespace MuseAtelier;

/// <summary>
/// A small file beside a package of the cache. It states from which checkpoint the package was exported, and its time of writing is the
/// time of the package's last use. The package itself must not change, because the same checkpoint gives the same bytes.
/// </summary>
internal static class PackageSource
{
    /// <summary>The suffix that the file's name adds to the package's name.</summary>
    public const string Suffix = ".source";

    private const int MostBytes = 64 << 10;

    /// <summary>Writes the checkpoint's path. Failures are ignored, because the cache works without this file.</summary>
    public static void Write(string package, string checkpoint)
    {
        string path = package + Suffix, partial = $"{package}.{Path.GetRandomFileName()}{Suffix}.tmp";
        try
        {
            File.WriteAllText(partial, new JsonObject { ["checkpoint"] = FinalPath.Of(checkpoint) }.ToJsonString());
            SharedRights.TryApplyToFile(partial, Path.GetDirectoryName(package)!);
            PatientMove.File(partial, path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Leftovers.Delete(partial);
        }
    }

    /// <summary>Sets the time of the last use to now.</summary>
    public static void Use(string package)
    {
        try
        {
            File.SetLastWriteTimeUtc(package + Suffix, DateTime.UtcNow);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The cache is read-only, or the package belongs to another user. It is used all the same.
        }
    }

    /// <summary>The path of a package's checkpoint; null if unknown.</summary>
    public static string? Read(string package)
    {
        try
        {
            var info = new FileInfo(package + Suffix);
            if (!info.Exists || info.Length > MostBytes) return null;
            return JsonNode.Parse(File.ReadAllText(info.FullName)) is JsonObject json && json["checkpoint"] is JsonValue value
                && value.TryGetValue(out string? checkpoint) ? checkpoint : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The time at which a package was last used, in UTC; null if unknown.</summary>
    public static DateTime? LastUse(string package) => File.Exists(package + Suffix) ? File.GetLastWriteTimeUtc(package + Suffix) : null;
}

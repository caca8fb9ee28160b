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

    /// <summary>Writes down the checkpoint of a package. The cache works without it: no failure is reported.</summary>
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

    /// <summary>Notes that a package is used now.</summary>
    public static void Use(string package)
    {
        try
        {
            File.SetLastWriteTimeUtc(package + Suffix, DateTime.UtcNow);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A read-only cache, or a package of another user: it is used all the same.
        }
    }

    /// <summary>The checkpoint of a package; null where it is not known.</summary>
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

    /// <summary>When a package was last used, in UTC; null where it is not known.</summary>
    public static DateTime? LastUse(string package) => File.Exists(package + Suffix) ? File.GetLastWriteTimeUtc(package + Suffix) : null;
}

using System.Text.Json;
using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Reads the index of a part that diffusers or transformers wrote in several files: its <c>weight_map</c> names the file of each tensor.
/// </summary>
internal static class ShardIndex
{
    private const int MostBytes = 16 << 20;
    private const int MostFiles = 256;
    private const int LongestName = 255;

    /// <summary>The files that an index names, by their paths within the model's folder.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="part">The part's folder within it.</param>
    /// <param name="index">The index's path within the model's folder.</param>
    /// <exception cref="ModelFolderException">The index is unusable, or names a file that is missing or lies elsewhere.</exception>
    public static IReadOnlyList<string> Files(string folder, string part, string index)
    {
        JsonElement root = DiffusersFolder.ReadObject(folder, index, MostBytes);
        if (!root.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            throw ModelFolderException.Description(folder, index, "it has no weight_map");
        var files = new SortedSet<string>(StringComparer.Ordinal);
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            string name = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
            if (!IsPlain(name)) throw ModelFolderException.Description(
                folder, index, $"it names '{SafetensorsHeader.Shorten(name)}', which is not the name of a file beside it");
            files.Add(name);
            if (files.Count > MostFiles)
                throw ModelFolderException.Description(folder, index, Invariant($"it names more than {MostFiles} files"));
        }

        if (files.Count == 0) throw ModelFolderException.Description(folder, index, "it names no file");
        foreach (string name in files)
        {
            if (!File.Exists(Path.Combine(folder, part, name))) throw new ModelFolderException(
                folder,
                $"{part}/{name} is missing in {folder}, though {index} names it",
                "every file that the index names",
                "The download is incomplete: fetch the missing file.");
        }

        return [.. files.Select(name => $"{part}/{name}")];
    }

    /// <summary>Checks that the files of a part hold every tensor that its index names.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="index">The index's path within the model's folder.</param>
    /// <param name="tensors">The tensors of a file by its path within the model's folder; empty for a file that is not open.</param>
    /// <exception cref="ModelFolderException">A tensor is missing in the file that the index names.</exception>
    public static void Check(string folder, string index, Func<string, IReadOnlyDictionary<string, SafetensorsTensor>?> tensors)
    {
        string part = index[..index.LastIndexOf('/')];
        foreach (JsonProperty entry in DiffusersFolder.ReadObject(folder, index, MostBytes).GetProperty("weight_map").EnumerateObject())
        {
            string file = $"{part}/{entry.Value.GetString()}";
            if (tensors(file)?.ContainsKey(entry.Name) == true) continue;
            throw new ModelFolderException(
                folder,
                $"{file} in {folder} has no tensor '{SafetensorsHeader.Shorten(entry.Name)}', though {index} says so",
                "files that belong together",
                "The files are of different editions, or one is damaged: fetch the part again.");
        }
    }

    // A path could name any file of the machine, so only the name of a file in the same folder is taken.
    private static bool IsPlain(string name) => name.Length is > 0 and <= LongestName
        && name[0] != '.'
        && name[^1] is not ('.' or ' ')
        && !name.Any(letter => char.IsControl(letter) || letter is '/' or '\\' or ':');
}

using System.Text.Json;
using MuseAtelier.Format;

namespace MuseAtelier.Checking;

/// <summary>The prompts of reference values and their ids.</summary>
/// <param name="Prompts">The prompts.</param>
/// <param name="IdsL">77 ids for each prompt, for CLIP-L.</param>
/// <param name="IdsG">77 ids for each prompt, for CLIP-G.</param>
internal sealed record ReferenceNotes(IReadOnlyList<string> Prompts, IReadOnlyList<int[]> IdsL, IReadOnlyList<int[]> IdsG)
{
    /// <summary>The highest id of the vocabulary.</summary>
    public const int LastId = 49407;

    private const int MostBytes = 16 << 20;
    private const int MostPrompts = 1024;
    private const int LongestPrompt = 4096;

    /// <summary>Whether a number is an id of the vocabulary.</summary>
    public static bool IsId(float number) => number is >= 0 and <= LastId && MathF.Truncate(number) == number;

    /// <summary>Reads the JSON file beside the values; null if there is none.</summary>
    public static ReferenceNotes? ReadBeside(string reference)
    {
        string path = Path.ChangeExtension(reference, ".json");
        if (!File.Exists(path)) return null;
        try
        {
            if (new FileInfo(path).Length > MostBytes) throw new ReferenceNotesException(path, "it is larger than 16 MiB");
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = document.RootElement;
            string[] prompts = [.. root.GetProperty("prompts").EnumerateArray().Select(prompt => prompt.GetString() ?? "")];
            var notes = new ReferenceNotes(prompts, Ids(root.GetProperty("tokens_l")), Ids(root.GetProperty("tokens_g_pad0")));
            notes.Check(path);
            return notes;
        }
        catch (Exception exception) when (IsUnreadable(exception))
        {
            throw new ReferenceNotesException(path, exception.Message.TrimEnd('.'), exception);
        }
    }

    private void Check(string path)
    {
        if (Prompts.Count > MostPrompts || Prompts.Any(prompt => prompt.Length > LongestPrompt))
            throw new ReferenceNotesException(path, "there are too many prompts, or too long ones");
        int[][] ids = [.. IdsL, .. IdsG];
        if (ids.Any(row => row.Any(id => id is < 0 or > LastId)))
            throw new ReferenceNotesException(path, "an id is outside the vocabulary");
        bool isWhole = IdsL.Count == Prompts.Count && IdsG.Count == Prompts.Count && ids.All(row => row.Length == TextChunk.Length);
        if (!isWhole) throw new ReferenceNotesException(path, "prompts and ids do not match");
    }

    // The JSON reader reports missing properties and wrong types by several kinds of exceptions.
    private static bool IsUnreadable(Exception exception) => exception
        is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IOException
            or UnauthorizedAccessException;

    private static int[][] Ids(JsonElement rows) => [.. rows.EnumerateArray().Select(Row)];

    private static int[] Row(JsonElement ids) => [.. ids.EnumerateArray().Select(id => id.GetInt32())];
}

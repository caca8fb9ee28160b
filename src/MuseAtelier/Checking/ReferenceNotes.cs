using System.Text.Json;
using MuseAtelier.Prompting;

namespace MuseAtelier.Checking;

/// <summary>The prompts of reference values and their ids.</summary>
/// <param name="Prompts">The prompts.</param>
/// <param name="IdsL">77 ids for each, as CLIP-L takes them.</param>
/// <param name="IdsG">77 ids for each, as CLIP-G takes them.</param>
internal sealed record ReferenceNotes(IReadOnlyList<string> Prompts, IReadOnlyList<int[]> IdsL, IReadOnlyList<int[]> IdsG)
{
    /// <summary>The highest id that the vocabulary has.</summary>
    public const int LastId = 49407;

    private const int MostBytes = 16 << 20;
    private const int MostPrompts = 1024;
    private const int LongestPrompt = 4096;

    /// <summary>Whether a number is an id of the vocabulary.</summary>
    public static bool IsId(float number) => number is >= 0 and <= LastId && MathF.Truncate(number) == number;

    /// <summary>Reads the JSON file beside the values; null where there is none.</summary>
    public static ReferenceNotes? ReadBeside(string reference)
    {
        string path = Path.ChangeExtension(reference, ".json");
        if (!File.Exists(path)) return null;
        try
        {
            if (new FileInfo(path).Length > MostBytes) throw new ReferenceNotesException(path, "it is larger than 16 MiB");
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = document.RootElement;
            var notes = new ReferenceNotes(
                [.. root.GetProperty("prompts").EnumerateArray().Select(prompt => prompt.GetString() ?? "")], Ids(root.GetProperty("tokens_l")), Ids(root.GetProperty("tokens_g_pad0")));
            bool isWhole = notes.IdsL.Count == notes.Prompts.Count && notes.IdsG.Count == notes.Prompts.Count && notes.IdsL.Concat(notes.IdsG).All(ids => ids.Length == ClipTokenizer.Positions);
            if (notes.Prompts.Count > MostPrompts
                || notes.Prompts.Any(prompt => prompt.Length > LongestPrompt)) throw new ReferenceNotesException(
                path, "there are too many prompts, or too long ones");
            if (notes.IdsL.Concat(notes.IdsG).Any(ids => ids.Any(id => id is < 0 or > LastId))) throw new ReferenceNotesException(
                path, "an id is outside the vocabulary");
            return isWhole ? notes : throw new ReferenceNotesException(path, "prompts and ids do not match");
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new ReferenceNotesException(path, exception.Message.TrimEnd('.'), exception);
        }
    }

    private static int[][] Ids(JsonElement rows) => [.. rows.EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt32()).ToArray())];
}

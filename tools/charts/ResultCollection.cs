using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MuseAtelier.Tools.Charts;

/// <summary>
/// Collects results of <c>muse bench --json</c> into one file: first the result without a budget, then from the largest budget to the
/// least.
/// </summary>
internal static class ResultCollection
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Returns the collection as JSON. Every result is kept complete.</summary>
    /// <param name="paths">Files with one result each, of one machine and one kind of picture.</param>
    /// <exception cref="ResultFileException">A file holds no result, or one that does not belong with the others.</exception>
    public static string Collect(IReadOnlyList<string> paths)
    {
        var results = paths
            .Select(path => (Path: path, Measured: ResultFile.Read<Measured>(path)))
            .OrderByDescending(result => result.Measured.BudgetBytes ?? long.MaxValue)
            .ThenBy(result => result.Measured.Offload, StringComparer.Ordinal)
            .ToList();
        // Results must have equal conditions, because times of different machines cannot be compared.
        foreach ((string path, Measured measured) in results)
        {
            if (measured.Conditions == results[0].Measured.Conditions) continue;
            throw new ResultFileException(
                path,
                $"was measured otherwise ({measured.Conditions})",
                $"{results[0].Measured.Conditions} as in {results[0].Path}",
                "Collect results of one machine and one kind of picture.");
        }

        return new JsonArray([.. results.Select(result => JsonNode.Parse(File.ReadAllBytes(result.Path)))]).ToJsonString(Indented) + "\n";
    }
}

using MuseAtelier.Adapters;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;

namespace MuseAtelier.Server.Adapters;

/// <summary>Reads what a LoRA's file says of itself. Of the file only the header is read.</summary>
internal static class LoraReading
{
    // Trainers also write how often each tag occurs, which takes megabytes.
    private const int MostWords = 24, MostMetadata = 100, LongestMetadata = 1000;

    /// <summary>What clients are told of a file; its problem if it cannot be used.</summary>
    /// <param name="entry">The file.</param>
    /// <param name="bytes">Bytes of the file.</param>
    public static ListedLora Of(LoraEntry entry, long bytes)
    {
        var plain = new ListedLora { Name = entry.Name, Bytes = bytes, Path = entry.Path, Alias = AliasOf(entry) };
        try
        {
            using LoraFile file = LoraFile.Open(entry.Path);
            LoraInfo info = file.Info;
            return plain with
            {
                Title = info.Title,
                Families = info.Families,
                LeastRank = RankOf(info.LeastRank),
                MostRank = RankOf(info.MostRank),
                TrainedOn = info.TrainedOn,
                TriggerWords = [.. info.TriggerWords.Take(MostWords)],
                Parts = info.Parts,
                Metadata = MetadataOf(entry.Path),
            };
        }
        catch (MuseAtelierException exception)
        {
            return plain with { Problem = ProblemOf(entry, exception.Message) };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return plain with { Problem = ProblemOf(entry, "The file cannot be read; expected one that this user may read.") };
        }
    }

    private static int? RankOf(int rank) => rank == 0 ? null : rank;

    private static Dictionary<string, string> MetadataOf(string path)
    {
        using TensorFile file = TensorFile.Open(path);
        return file.Metadata
            .Where(item => item.Key.Length <= LongestMetadata && item.Value.Length <= LongestMetadata)
            .OrderBy(item => item.Key, StringComparer.Ordinal)
            .Take(MostMetadata)
            .ToDictionary(StringComparer.Ordinal);
    }

    private static string? AliasOf(LoraEntry entry) => entry.Alias == entry.Name ? null : entry.Alias;

    private static Problem ProblemOf(LoraEntry entry, string message) => new()
    {
        Kind = "bad-lora",
        Message = message.Replace(entry.Path, entry.Name, StringComparison.Ordinal),
    };
}

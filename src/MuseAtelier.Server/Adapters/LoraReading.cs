using MuseAtelier.Adapters;
using MuseAtelier.Export.Loras;

namespace MuseAtelier.Server.Adapters;

/// <summary>Reads what a LoRA's file says of itself. Of the file only the header is read.</summary>
internal static class LoraReading
{
    private const int MostWords = 24;

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
                Family = info.Family,
                Ranks = info.Ranks,
                TrainedOn = info.TrainedOn,
                TriggerWords = [.. info.TriggerWords.Take(MostWords)],
                Parts = info.Parts,
                Metadata = file.Metadata,
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

    private static string? AliasOf(LoraEntry entry) => entry.Alias == entry.Name ? null : entry.Alias;

    private static Problem ProblemOf(LoraEntry entry, string message) => new()
    {
        Kind = "bad-lora",
        Message = message.Replace(entry.Path, entry.Name, StringComparison.Ordinal),
    };
}

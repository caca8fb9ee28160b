using System.Globalization;
using MuseAtelier.Pictures;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Serving;

/// <summary>What a server painted, and what its gallery holds afterwards.</summary>
internal static class StormPictures
{
    /// <summary>The painted pictures in their order: the time, and the seed. A line that was torn by a kill is left out.</summary>
    public static List<(DateTime Time, ulong Seed)> ReadPainted(string path)
    {
        List<(DateTime, ulong)> painted = [];
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var lines = new StreamReader(stream);
        while (lines.ReadLine() is { } line)
        {
            string[] parts = line.Split(' ');
            bool isWhole = parts.Length == 2
                && long.TryParse(parts[0], CultureInfo.InvariantCulture, out _)
                && ulong.TryParse(parts[1], CultureInfo.InvariantCulture, out _);
            if (isWhole)
                painted.Add(
                    (
                        new DateTime(long.Parse(parts[0], CultureInfo.InvariantCulture), DateTimeKind.Utc),
                        ulong.Parse(parts[1], CultureInfo.InvariantCulture)
                    )
                );
        }

        return painted;
    }

    /// <summary>
    /// Checks that each accepted job has its one picture, that no picture was painted again that was written already, and that jobs were
    /// painted in the order in which they were accepted.
    /// </summary>
    /// <param name="accepted">The ids of the accepted jobs by their seeds.</param>
    /// <param name="gallery">The gallery's folder.</param>
    /// <param name="painted">The file with the painted pictures.</param>
    /// <param name="report">Receives the findings.</param>
    public static void Check(IReadOnlyDictionary<ulong, string> accepted, string gallery, string painted, StormReport report)
    {
        ILookup<ulong, FileInfo> files = Directory
            .EnumerateFiles(gallery, "*.png", SearchOption.AllDirectories)
            .Select(path => new FileInfo(path))
            .ToLookup(file => PictureFile.Read(file.FullName).ReadRecord().Request.Seed);
        List<(DateTime Time, ulong Seed)> log = ReadPainted(painted);
        report.Add("pictures", files.Count);
        report.Add("painted", log.Count);
        foreach ((ulong seed, string id) in accepted)
        {
            int found = files[seed].Count();
            if (found != 1)
                report.Fail(found == 0 ? "lost" : "twice", id, FormattableString.Invariant($"seed {seed} has {found} pictures"));
        }

        foreach (IGrouping<ulong, (DateTime Time, ulong Seed)> again in log.GroupBy(one => one.Seed).Where(group => group.Count() > 1))
        {
            // A picture that was painted, but not yet written when the server was killed, has to be painted again.
            report.Add("paintedAgain");
            DateTime written = files[again.Key].Min(file => file.LastWriteTimeUtc);
            if (again.Any(one => one.Time > written))
                report.Fail("paintedTwice", FormattableString.Invariant($"seed {again.Key}"), "it was in the gallery already");
        }

        string[] order = [.. log.Where(one => accepted.ContainsKey(one.Seed)).Select(one => accepted[one.Seed]).Distinct()];
        for (int i = 1; i < order.Length; i++)
        {
            if (string.CompareOrdinal(order[i - 1], order[i]) > 0)
                report.Fail("order", order[i], $"it was painted after {order[i - 1]}");
        }
    }
}

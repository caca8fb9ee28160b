using System.Text.RegularExpressions;

namespace MuseAtelier.Export.Storage;

/// <summary>A folder that an export left behind or is writing.</summary>
/// <param name="Path">Full path.</param>
/// <param name="IsAlive">Whether the process that writes it still runs.</param>
internal readonly record struct Leftover(string Path, bool IsAlive);

/// <summary>
/// Finds and removes folders that killed exports left behind. A writer must be recognised by its lock rather than by its process id,
/// because containers that share a folder repeat process ids.
/// </summary>
internal static partial class Leftovers
{
    // If the file system has no locks, an export that has written nothing for this time counts as dead.
    private static readonly TimeSpan Silence = TimeSpan.FromHours(1);

    /// <summary>Lists the partial and replaced folders in a folder.</summary>
    /// <param name="parent">The folder; it need not exist.</param>
    /// <param name="name">Path of the only package to consider; null means all.</param>
    public static IEnumerable<Leftover> Find(string parent, string? name = null)
    {
        if (!Directory.Exists(parent)) yield break;
        string? begin = name is null ? null : PartialFolder.ShortName(name) + ".";
        foreach (string path in Directory.GetFileSystemEntries(parent))
        {
            string entry = Path.GetFileName(path);
            if (begin is not null && !entry.StartsWith(begin, StringComparison.Ordinal)) continue;
            if (Replaced().IsMatch(entry)) yield return new Leftover(path, IsAlive: false);
            else if (Partial().IsMatch(entry) && Directory.Exists(path)) yield return new Leftover(path, IsAlive(path));
        }
    }

    /// <summary>
    /// Deletes folders whose writer no longer runs, and locks whose folder is gone. Ignores those that cannot be deleted.
    /// </summary>
    /// <param name="parent">The folder; it need not exist.</param>
    /// <param name="name">Path of the only package to consider; null means all.</param>
    public static void Clear(string parent, string? name = null)
    {
        try
        {
            foreach (Leftover leftover in Find(parent, name))
                if (!leftover.IsAlive) Delete(leftover.Path);
            if (name is null && Directory.Exists(parent)) ClearLocks(parent);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another process clears the same folder, or this one lacks the rights. The export does not depend on it.
        }
    }

    /// <summary>Deletes a folder or a file as far as the system allows. Returns whether nothing is left.</summary>
    public static bool Delete(string path)
    {
        try
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            else File.Delete(path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsAlive(string partial)
    {
        string path = partial + PartialFolder.LockSuffix;
        // Exports of earlier versions have no lock.
        if (!File.Exists(path)) return !IsSilent(partial);
        try
        {
            using FileLock? taken = FileLock.TryTake(path);
            if (taken is null) return true;
            return !taken.Excludes() && !IsSilent(partial);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return !IsSilent(partial);
        }
    }

    private static bool IsSilent(string partial)
    {
        try
        {
            DateTime last = new DirectoryInfo(partial).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
                .Select(entry => entry.LastWriteTimeUtc)
                .Append(Directory.GetLastWriteTimeUtc(partial)).Max();
            return DateTime.UtcNow - last > Silence;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // A process may be killed between taking its lock and creating its folder. A live writer whose lock is deleted takes another.
    private static void ClearLocks(string parent)
    {
        foreach (string path in Directory.GetFiles(parent, "*" + PartialFolder.Suffix + PartialFolder.LockSuffix))
        {
            string partial = path[..^PartialFolder.LockSuffix.Length];
            if (Partial().IsMatch(Path.GetFileName(partial)) && !Directory.Exists(partial)) FileLock.TryTake(path)?.Dispose();
        }
    }

    // Earlier versions wrote the writer's process id, which is the second form.
    [GeneratedRegex(@"\.([0-9a-f]{12}|[0-9]{1,10})\.partial\z", RegexOptions.CultureInvariant)]
    private static partial Regex Partial();

    [GeneratedRegex(@"\.[0-9a-f]{12}\.old\z", RegexOptions.CultureInvariant)]
    private static partial Regex Replaced();
}

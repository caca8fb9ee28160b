namespace MuseAtelier.Host;

/// <summary>The control groups (cgroups, versions 1 and 2) that bound this process on Linux: each group's limits hold for all groups below it.</summary>
/// <param name="root">Where <c>/proc</c> and the mounted groups are looked for: empty but in tests.</param>
internal sealed class ControlGroups(string root = "")
{
    private const string UnifiedType = "cgroup2", LegacyType = "cgroup";
    private const int MostFileBytes = 1 << 20;

    /// <summary>The folders of the groups that a controller bounds this process by, its own first, then those above it as far as they are mounted.</summary>
    /// <param name="controller">The controller, such as <c>memory</c> or <c>pids</c>.</param>
    /// <returns>Each folder, and whether its files are those of version 2. Empty where there are none, or they cannot be read.</returns>
    public IReadOnlyList<(string Folder, bool IsUnified)> Of(string controller)
    {
        var groups = new List<(string, bool)>();
        string[] memberships = Lines("/proc/self/cgroup"), mounts = Lines("/proc/self/mountinfo");
        foreach (string membership in memberships)
        {
            // "4:memory:/a/b" in version 1, "0::/a/b" in version 2.
            string[] parts = membership.Split(':', 3);
            if (parts.Length < 3) continue;
            bool isUnified = parts[1].Length == 0;
            if (!isUnified && !parts[1].Split(',').Contains(controller)) continue;
            foreach (string mount in mounts)
            {
                if (Mounted(mount, isUnified ? null : controller) is not { } mounted) continue;
                groups.AddRange(Upwards(mounted.Point, mounted.Root, parts[2]).Select(folder => (folder, isUnified)));
                break;
            }
        }

        return groups;
    }

    /// <summary>A file's text without white space around it; null where there is none.</summary>
    public string? Text(string path)
    {
        try
        {
            using var reader = new StreamReader(root + path);
            char[] text = new char[MostFileBytes];
            return new string(text, 0, reader.ReadBlock(text)).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A file's number; null where there is none, or it says <c>max</c>.</summary>
    public long? Number(string path) => long.TryParse(Text(path), out long number) ? number : null;

    /// <summary>The number behind a name, of a file with a name and a number a line; 0 where there is none.</summary>
    public static long Entry(string? text, string name)
    {
        foreach (string line in (text ?? "").Split('\n'))
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && words[0].TrimEnd(':') == name && long.TryParse(words[1], out long number)) return number;
        }

        return 0;
    }

    /// <summary>The lines of a file; none where it cannot be read.</summary>
    public string[] Lines(string path) => Text(path)?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];

    // "35 24 0:30 /root /mount/point rw,relatime shared:9 - cgroup cgroup rw,memory" (proc(5), mountinfo)
    private static (string Root, string Point)? Mounted(string line, string? controller)
    {
        string[] words = line.Split(' ');
        int separator = Array.IndexOf(words, "-");
        if (separator < 5 || words.Length < separator + 4) return null;
        bool fits = controller is null ? words[separator + 1] == UnifiedType : words[separator + 1] == LegacyType && words[separator + 3].Split(',').Contains(controller);
        return fits ? (Unescape(words[3]), Unescape(words[4])) : null;
    }

    private static IEnumerable<string> Upwards(string point, string root, string group)
    {
        // In a container the mount may begin at the container's own group, under which the name of that group does not occur again.
        string below = root.Length > 1 && (group == root || group.StartsWith(root + '/', StringComparison.Ordinal)) ? group[root.Length..] : root.Length > 1 ? "" : group;
        if (below.Contains("..", StringComparison.Ordinal)) below = "";
        for (below = below.TrimEnd('/'); below.Length > 0; below = below[..below.LastIndexOf('/')]) yield return point + below;
        yield return point;
    }

    private static string Unescape(string path) => path.Replace("\\040", " ", StringComparison.Ordinal);
}

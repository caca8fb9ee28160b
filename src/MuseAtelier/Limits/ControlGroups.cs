namespace MuseAtelier.Limits;

/// <summary>
/// The control groups (cgroups, versions 1 and 2) that limit this process on Linux. A group's limits also hold for all groups below it.
/// </summary>
/// <param name="root">The folder that holds <c>/proc</c> and the mounted groups; empty except in tests.</param>
internal sealed class ControlGroups(string root = "")
{
    private const string UnifiedType = "cgroup2";
    private const string LegacyType = "cgroup";
    private const int MostFileBytes = 1 << 20;

    /// <summary>
    /// The folders of the groups by which a controller limits this process: the process's own group first, then those above it as far as
    /// they are mounted.
    /// </summary>
    /// <param name="controller">The controller, such as <c>memory</c> or <c>pids</c>.</param>
    /// <returns>Each folder, and whether its files are those of version 2. Empty if there are none, or if they cannot be read.</returns>
    public IReadOnlyList<(string Folder, bool IsUnified)> Of(string controller)
    {
        var groups = new List<(string, bool)>();
        string[] memberships = Lines("/proc/self/cgroup");
        string[] mounts = Lines("/proc/self/mountinfo");
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

    /// <summary>A file's text without white space around it; null if the file cannot be read.</summary>
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

    /// <summary>A file's number; null if there is none, or if the file says <c>max</c>.</summary>
    public long? Number(string path) => long.TryParse(Text(path), out long number) ? number : null;

    /// <summary>The number after a name in a text with a name and a number in each line; 0 if there is none.</summary>
    public static long Entry(string? text, string name)
    {
        foreach (string line in (text ?? "").Split('\n'))
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && words[0].TrimEnd(':') == name && long.TryParse(words[1], out long number)) return number;
        }

        return 0;
    }

    /// <summary>The lines of a file; none if it cannot be read.</summary>
    public string[] Lines(string path) => Text(path)?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];

    // "35 24 0:30 /root /mount/point rw,relatime shared:9 - cgroup cgroup rw,memory" (proc(5), mountinfo)
    private static (string Root, string Point)? Mounted(string line, string? controller)
    {
        string[] words = line.Split(' ');
        int separator = Array.IndexOf(words, "-");
        if (separator < 5 || words.Length < separator + 4) return null;
        bool fits = controller is null
            ? words[separator + 1] == UnifiedType
            : words[separator + 1] == LegacyType && words[separator + 3].Split(',').Contains(controller);
        return fits ? (Unescape(words[3]), Unescape(words[4])) : null;
    }

    private static IEnumerable<string> Upwards(string point, string root, string group)
    {
        // In a container the mount may begin at the container's own group. The paths below the mount then do not repeat that group's name.
        bool isBelow = group == root || group.StartsWith(root + '/', StringComparison.Ordinal);
        string below = root.Length == 1 ? group : isBelow ? group[root.Length..] : "";
        if (below.Contains("..", StringComparison.Ordinal)) below = "";
        for (below = below.TrimEnd('/'); below.Length > 0; below = below[..below.LastIndexOf('/')]) yield return point + below;
        yield return point;
    }

    private static string Unescape(string path) => path.Replace("\\040", " ", StringComparison.Ordinal);
}

namespace MuseAtelier.Pictures.Files;

/// <summary>Names that Windows takes for something else than a file in the folder that they seem to be in.</summary>
internal static class WindowsNames
{
    private static readonly string[] Devices = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

    /// <summary>Why Windows would not make a file of that name; null where it would. Pure: it may be asked on any system.</summary>
    /// <param name="path">A path as the user gave it.</param>
    public static string? Refusal(string path)
    {
        string rest = path.StartsWith(@"\\?\", StringComparison.Ordinal) || path.StartsWith(@"\\.\", StringComparison.Ordinal) ? path[4..]
            : path;
        if (rest is [_, ':', ..] && char.IsAsciiLetter(rest[0])) rest = rest[2..];
        if (rest.Contains(':', StringComparison.Ordinal)) return "a colon behind the drive names a hidden stream of a file";
        string name = rest[(rest.LastIndexOfAny(['\\', '/']) + 1)..];
        // An extension, and spaces before it, change nothing.
        string stem = name.Split('.')[0].TrimEnd(' ');
        return IsDevice(stem) ? $"{stem} is a device on Windows, whatever its extension" : null;
    }

    private static bool IsDevice(string stem)
    {
        if (Devices.Contains(stem, StringComparer.OrdinalIgnoreCase)) return true;
        bool isPort = stem.Length == 4
            && (stem.StartsWith("com", StringComparison.OrdinalIgnoreCase) || stem.StartsWith("lpt", StringComparison.OrdinalIgnoreCase));
        return isPort && (char.IsAsciiDigit(stem[3]) || stem[3] is '\u00B9' or '\u00B2' or '\u00B3');
    }
}

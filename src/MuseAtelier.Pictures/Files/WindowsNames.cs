namespace MuseAtelier.Pictures.Files;

/// <summary>Detects names that do not mean a regular file on Windows.</summary>
internal static class WindowsNames
{
    private static readonly string[] Devices = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

    /// <summary>The reason why Windows would not create a file of that name; null if it would. Works on every system.</summary>
    /// <param name="path">A path as the user gave it.</param>
    public static string? Refusal(string path)
    {
        string rest = path.StartsWith(@"\\?\", StringComparison.Ordinal) || path.StartsWith(@"\\.\", StringComparison.Ordinal) ? path[4..]
            : path;
        if (rest is [_, ':', ..] && char.IsAsciiLetter(rest[0])) rest = rest[2..];
        if (rest.Contains(':', StringComparison.Ordinal)) return "a colon after the drive names an alternate data stream";
        string name = rest[(rest.LastIndexOfAny(['\\', '/']) + 1)..];
        // Device names are recognised with any extension, and with spaces before it.
        string stem = name.Split('.')[0].TrimEnd(' ');
        return IsDevice(stem) ? $"{stem} is a device on Windows, with any extension" : null;
    }

    private static bool IsDevice(string stem)
    {
        if (Devices.Contains(stem, StringComparer.OrdinalIgnoreCase)) return true;
        bool isPort = stem.Length == 4
            && (stem.StartsWith("com", StringComparison.OrdinalIgnoreCase) || stem.StartsWith("lpt", StringComparison.OrdinalIgnoreCase));
        return isPort && (char.IsAsciiDigit(stem[3]) || stem[3] is '\u00B9' or '\u00B2' or '\u00B3');
    }
}

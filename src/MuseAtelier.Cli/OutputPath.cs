using System.Globalization;
using System.Text;
using MuseAtelier.Pictures;
using static System.FormattableString;

namespace MuseAtelier.Cli;

/// <summary>Chooses the files that pictures are written to.</summary>
internal static class OutputPath
{
    private const int LongestName = 40;
    private const string Extension = ".png";

    /// <summary>
    /// The files of a number of pictures. Each was tested for writing. A name that muse makes up is one that no file has.
    /// </summary>
    /// <param name="output">A file, an existing folder, or null for the working folder.</param>
    /// <param name="request">The first picture's request.</param>
    /// <param name="count">Number of pictures, whose seeds follow one another.</param>
    /// <param name="options">How they are written.</param>
    /// <exception cref="PictureFileException">A file cannot be written.</exception>
    public static List<string> Choose(string? output, PictureRequest request, int count, PictureFileOptions options) =>
        Choose(output, [.. Enumerable.Range(0, count).Select(request.InSeries)], options);

    /// <summary>The files of pictures. Each was tested for writing. A name that muse makes up is one that no file has.</summary>
    /// <param name="output">A file, an existing folder, or null for the working folder.</param>
    /// <param name="requests">The pictures' requests.</param>
    /// <param name="options">How they are written.</param>
    /// <exception cref="PictureFileException">A file cannot be written.</exception>
    public static List<string> Choose(string? output, IReadOnlyList<PictureRequest> requests, PictureFileOptions options)
    {
        List<string> paths = [];
        bool isFolder = IsFolder(output);
        for (int i = 0; i < requests.Count; i++)
        {
            string path = isFolder
                ? Free(Path.Combine(output ?? "", Name(requests[i].Prompt, requests[i].Seed)), paths)
                : Numbered(output!, i, requests.Count);
            PictureFile.RequireWritable(path, options);
            paths.Add(path);
        }

        return paths;
    }

    /// <summary>The file of a series' contact sheet: beside the pictures, under a name that no file has where muse makes it up.</summary>
    /// <param name="output">A file, an existing folder, or null for the working folder.</param>
    /// <param name="first">The first picture's request.</param>
    public static string SheetOf(string? output, PictureRequest first)
    {
        const string sheet = "sheet";
        if (!IsFolder(output)) return Path.ChangeExtension(Suffixed(output!, sheet), Extension);
        return Free(Suffixed(Path.Combine(output ?? "", Name(first.Prompt, first.Seed)), sheet), []);
    }

    /// <summary>Whether a path names a folder: one that exists, or any that ends like one; null means the working folder.</summary>
    public static bool IsFolder(string? output) =>
        output is null || Directory.Exists(output) || output.EndsWith('/') || output.EndsWith(Path.DirectorySeparatorChar);

    private static string Numbered(string path, int index, int count)
    {
        if (count == 1) return path;
        int digits = count.ToString(CultureInfo.InvariantCulture).Length;
        return Suffixed(path, (index + 1).ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0'));
    }

    /// <summary>
    /// A path that no file has and that is not taken: the given one, or one with a number. Pictures of one seed, such as those of a series
    /// with a variation, get different names.
    /// </summary>
    public static string Free(string path, List<string> taken)
    {
        string free = path;
        for (int number = 2; taken.Contains(free) || File.Exists(free) || Directory.Exists(free); number++)
            free = Suffixed(path, number.ToString(CultureInfo.InvariantCulture));
        return free;
    }

    private static string Suffixed(string path, string suffix) =>
        Path.Combine(Path.GetDirectoryName(path) ?? "", $"{Path.GetFileNameWithoutExtension(path)}-{suffix}{Path.GetExtension(path)}");

    // Letters and digits of any script, with the words joined by hyphens.
    private static string Name(string prompt, ulong seed)
    {
        var name = new StringBuilder();
        foreach (Rune rune in prompt.EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune)) name.Append(Rune.ToLowerInvariant(rune));
            else if (name.Length > 0 && name[^1] != '-') name.Append('-');
            if (name.Length >= LongestName) break;
        }

        string words = name.ToString().Trim('-');
        return Invariant($"{(words.Length > 0 ? words : "picture")}-{seed}{Extension}");
    }
}

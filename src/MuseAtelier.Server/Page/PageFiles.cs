using System.Reflection;

namespace MuseAtelier.Server.Page;

/// <summary>The files of the page: part of the program, or in a folder while they are being written.</summary>
internal static class PageFiles
{
    private const string Prefix = "wwwroot/";

    private static readonly Lazy<IReadOnlyList<PageFile>> OfTheProgram = new(() => PageJoin.Join(ReadEmbedded()));

    private static readonly Lazy<Task> Compressing = new(() => Task.Run(() =>
    {
        foreach (PageFile file in Embedded) file.Compress();
    }));

    /// <summary>The files of the program as they are served: scripts and style sheets are joined.</summary>
    public static IReadOnlyList<PageFile> Embedded => OfTheProgram.Value;

    /// <summary>Compresses the files of the program, once in a process.</summary>
    public static Task CompressAsync() => Compressing.Value;

    /// <summary>Reads a folder's files as they are now.</summary>
    /// <param name="folder">The folder.</param>
    public static IReadOnlyList<PageFile> Read(string folder)
    {
        string root = Path.GetFullPath(folder);
        return [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Select(path => new PageFile(Path.GetRelativePath(root, path).Replace('\\', '/'), File.ReadAllBytes(path)))];
    }

    private static IReadOnlyList<PageFile> ReadEmbedded()
    {
        Assembly assembly = typeof(PageFiles).Assembly;
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => new PageFile(name[Prefix.Length..], Content(assembly, name)))];
    }

    private static byte[] Content(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}

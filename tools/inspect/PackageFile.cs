using System.IO.Compression;
using System.Xml.Linq;

namespace MuseAtelier.Tools.Inspect;

/// <summary>A package: its description (.nuspec) and the files that it holds.</summary>
internal sealed class PackageFile
{
    private readonly string _path;
    private readonly XElement _metadata;

    /// <summary>Reads a package of a folder.</summary>
    /// <exception cref="InvalidDataException">The file is no package.</exception>
    public PackageFile(string folder, string id, string version)
    {
        _path = Path.Combine(folder, $"{id}.{version}.nupkg");
        Id = id;
        Version = version;
        Bytes = new FileInfo(_path).Length;
        using ZipArchive archive = ZipFile.OpenRead(_path);
        Files = archive.Entries.Where(entry => !IsPackaging(entry.FullName)).ToDictionary(entry => entry.FullName, entry => entry.Length);
        ZipArchiveEntry description = archive.GetEntry($"{id}.nuspec") ?? throw new InvalidDataException($"{_path} holds no {id}.nuspec");
        using Stream stream = description.Open();
        XElement root = XDocument.Load(stream).Root!;
        _metadata = root.Element(root.Name.Namespace + "metadata")!;
        Dependencies = _metadata.Descendants(_metadata.Name.Namespace + "dependency").ToDictionary(
            dependency => dependency.Attribute("id")!.Value,
            dependency => dependency.Attribute("version")!.Value);
    }

    public string Id { get; }

    public string Version { get; }

    /// <summary>The size of the package itself, which is compressed.</summary>
    public long Bytes { get; }

    /// <summary>Bytes of each file by its path, without those of the packaging itself and the description.</summary>
    public IReadOnlyDictionary<string, long> Files { get; }

    /// <summary>The range of versions of each package that this one depends on.</summary>
    public IReadOnlyDictionary<string, string> Dependencies { get; }

    /// <summary>The text of an element of the description; empty if it is absent.</summary>
    public string Text(string element) => _metadata.Element(_metadata.Name.Namespace + element)?.Value ?? "";

    /// <summary>An attribute of an element of the description; empty if it is absent.</summary>
    public string Attribute(string element, string attribute) =>
        _metadata.Element(_metadata.Name.Namespace + element)?.Attribute(attribute)?.Value ?? "";

    public byte[] Read(string file) => Read(_path, file);

    /// <summary>Reads a file of a package.</summary>
    public static byte[] Read(string package, string file)
    {
        using ZipArchive archive = ZipFile.OpenRead(package);
        using Stream stream = archive.GetEntry(file)!.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static bool IsPackaging(string file) =>
        file is "[Content_Types].xml" or "_rels/.rels" || file.StartsWith("package/", StringComparison.Ordinal)
        || (file.EndsWith(".nuspec", StringComparison.Ordinal) && !file.Contains('/', StringComparison.Ordinal));
}

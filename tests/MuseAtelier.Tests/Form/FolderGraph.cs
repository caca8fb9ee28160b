using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace MuseAtelier.Tests.Form;

/// <summary>
/// Which folders of a project use which others of it: the uses between types are read from the built assembly, the file of each type from
/// the sources. Types that no source file declares (those that compilers generate) count as no part of it.
/// </summary>
internal sealed class FolderGraph
{
    /// <summary>The name of the folder that stands for the files beside the project file.</summary>
    public const string Root = "(root)";

    // For each folder the folders that it uses, itself not among them, and for each of these the uses that make the edge.
    private readonly SortedDictionary<string, SortedDictionary<string, SortedSet<string>>> _uses = new(StringComparer.Ordinal);

    /// <summary>Reads an assembly and the sources of its project.</summary>
    /// <param name="assembly">Path of the assembly.</param>
    /// <param name="project">Folder of the project, relative to the repository's root, with forward slashes.</param>
    public FolderGraph(string assembly, string project)
    {
        Dictionary<string, string> files = SourceTree.FilesOfTypes(project);
        using var file = new PEReader(File.OpenRead(assembly));
        MetadataReader metadata = file.GetMetadataReader();
        foreach (TypeDefinitionHandle type in metadata.TypeDefinitions)
        {
            string user = NameOf(metadata, type);
            if (!files.TryGetValue(user, out string? from)) continue;
            foreach (string used in new UsedTypes(file, metadata).Of(type).Select(other => NameOf(metadata, other)))
                if (files.TryGetValue(used, out string? to)) Add(from, to, $"{from} ({Short(user)}) -> {to} ({Short(used)})");
        }
    }

    /// <summary>The folders that use others or are used, in ordinal order.</summary>
    public IReadOnlyCollection<string> Folders => _uses.Keys;

    /// <summary>The uses of one folder by another: "file (type) -> file (type)".</summary>
    public IReadOnlyCollection<string> Uses(string from, string to) => _uses[from].GetValueOrDefault(to, []);

    /// <summary>
    /// The cycles, as names of folders in ordinal order: each pair that uses each other directly, and each larger set in which every folder
    /// reaches every other one without the uses within such pairs.
    /// </summary>
    public string[][] Cycles()
    {
        bool IsMutual(string from, string to) => _uses[from].ContainsKey(to) && _uses[to].ContainsKey(from);
        IEnumerable<string[]> pairs =
            from first in _uses.Keys
            from second in _uses[first].Keys
            where string.CompareOrdinal(first, second) < 0 && IsMutual(first, second)
            select (string[])[first, second];
        Dictionary<string, HashSet<string>> reached = _uses.Keys.ToDictionary(name => name, name => Reach(name, IsMutual));
        IEnumerable<string[]> larger = _uses.Keys
            .Select(name => reached[name].Where(other => reached[other].Contains(name)).Order(StringComparer.Ordinal).ToArray())
            .Where(cycle => cycle.Length > 0)
            .DistinctBy(cycle => cycle[0]);
        return [.. pairs, .. larger];
    }

    // A nested type, which a lambda may be, belongs to the type that declares it.
    private static string NameOf(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        TypeDefinition type = metadata.GetTypeDefinition(handle);
        while (type.IsNested) type = metadata.GetTypeDefinition(type.GetDeclaringType());
        return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }

    private static string Short(string name) => name[(name.LastIndexOf('.') + 1)..];

    private static string FolderOf(string file) => file.IndexOf('/') is int end and > 0 ? file[..end] : Root;

    private void Add(string from, string to, string use)
    {
        SortedDictionary<string, SortedSet<string>> used = Edges(FolderOf(from));
        Edges(FolderOf(to));
        if (FolderOf(from) == FolderOf(to)) return;
        if (!used.TryGetValue(FolderOf(to), out SortedSet<string>? uses))
            used.Add(FolderOf(to), uses = new SortedSet<string>(StringComparer.Ordinal));
        uses.Add(use);
    }

    private SortedDictionary<string, SortedSet<string>> Edges(string folder)
    {
        if (!_uses.TryGetValue(folder, out SortedDictionary<string, SortedSet<string>>? edges))
            _uses.Add(folder, edges = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal));
        return edges;
    }

    private HashSet<string> Reach(string name, Func<string, string, bool> isLeftOut)
    {
        HashSet<string> reached = [];
        var left = new Stack<string>([name]);
        while (left.TryPop(out string? next))
            foreach (string other in _uses[next].Keys)
                if (!isLeftOut(next, other) && reached.Add(other)) left.Push(other);
        return reached;
    }
}

using MuseAtelier.Server;

namespace MuseAtelier.Tests.Form;

/// <summary>
/// Folders of the engine and of the server must not depend on themselves through others, because each must be understood without the
/// folders that use it.
/// </summary>
public sealed class FolderCycleTests
{
    [Fact]
    public void Folders_OfTheEngine_FormNoCycle() =>
        Check(new FolderGraph(typeof(Atelier).Assembly.Location, "src/MuseAtelier"), "Runtime", "Residency");

    [Fact]
    public void Folders_OfTheServer_FormNoCycle() =>
        Check(new FolderGraph(typeof(AtelierServer).Assembly.Location, "src/MuseAtelier.Server"), "Jobs", "Gallery");

    private static void Check(FolderGraph graph, string user, string used)
    {
        Assert.Contains(user, graph.Folders);
        Assert.NotEmpty(graph.Uses(user, used));
        string[] found = [.. graph.Cycles().Select(cycle => Describe(graph, cycle))];
        Assert.True(found.Length == 0, $"There are {found.Length} cycles between folders:\n{string.Join('\n', found)}");
    }

    // Every use within the cycle, so that the fewest can be removed.
    private static string Describe(FolderGraph graph, string[] cycle)
    {
        IEnumerable<string> uses =
            from user in cycle
            from used in cycle
            where user != used
            let all = graph.Uses(user, used)
            where all.Count > 0
            select $"  {user} -> {used}, {all.Count} uses:\n    {string.Join("\n    ", all)}";
        return $"{string.Join(", ", cycle)}\n{string.Join('\n', uses)}";
    }
}

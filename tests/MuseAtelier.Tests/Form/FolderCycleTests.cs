namespace MuseAtelier.Tests.Form;

/// <summary>
/// Folders of the engine must not depend on themselves through others, because each must be understood without the folders that use it.
/// </summary>
public sealed class FolderCycleTests
{
    private readonly FolderGraph _graph = new(typeof(Atelier).Assembly.Location, "src/MuseAtelier");

    [Fact]
    public void Folders_OfTheEngine_FormNoCycle()
    {
        Assert.Contains("Runtime", _graph.Folders);
        Assert.NotEmpty(_graph.Uses("Runtime", "Residency"));
        string[] found = [.. _graph.Cycles().Select(Describe)];
        Assert.True(found.Length == 0, $"There are {found.Length} cycles between folders:\n{string.Join('\n', found)}");
    }

    // Every use within the cycle, so that the fewest can be removed.
    private string Describe(string[] cycle)
    {
        IEnumerable<string> uses =
            from user in cycle
            from used in cycle
            where user != used
            let all = _graph.Uses(user, used)
            where all.Count > 0
            select $"  {user} -> {used}, {all.Count} uses:\n    {string.Join("\n    ", all)}";
        return $"{string.Join(", ", cycle)}\n{string.Join('\n', uses)}";
    }
}

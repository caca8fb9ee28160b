namespace MuseAtelier.Tests.Form;

/// <summary>
/// Folders of the engine must not depend on themselves through others, because each must be understood without the folders that use it.
/// </summary>
public sealed class FolderCycleTests
{
    // The folders that still need each other, in ordinal order. The list may only become shorter.
    private static readonly string[] CyclesToRemove =
    [
        "(root), Checking",
        "(root), Decoding",
        "(root), Diffusion",
        "(root), Packages",
        "(root), Residency",
        "(root), Runtime",
    ];

    private readonly FolderGraph _graph = new(typeof(Atelier).Assembly.Location, "src/MuseAtelier");

    [Fact]
    public void Folders_OfTheEngine_FormNoCycleThatIsNotListed()
    {
        Assert.Contains("Runtime", _graph.Folders);
        string[] found = [.. _graph.Cycles().Where(cycle => !CyclesToRemove.Contains(Name(cycle))).Select(Describe)];
        Assert.True(found.Length == 0, $"There are {found.Length} new cycles between folders:\n{string.Join('\n', found)}");
    }

    [Fact]
    public void ListedCycles_ThatAreGone_AreTakenOffTheList()
    {
        string[] gone = [.. CyclesToRemove.Except(_graph.Cycles().Select(Name))];
        Assert.True(gone.Length == 0, $"These cycles are gone; take them off {nameof(CyclesToRemove)}:\n{string.Join('\n', gone)}");
    }

    private static string Name(string[] cycle) => string.Join(", ", cycle);

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
        return $"{Name(cycle)}\n{string.Join('\n', uses)}";
    }
}

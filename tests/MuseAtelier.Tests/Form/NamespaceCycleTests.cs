namespace MuseAtelier.Tests.Form;

/// <summary>Which folders of the engine depend on each other in a circle. The lists here may only become shorter.</summary>
public sealed class NamespaceCycleTests
{
    // To be removed: all public types lie in the root and all logic in folders, so that the root and the folders need each other.
    private static readonly string[][] CyclesToRemove = [];

    // To be removed: of each pair one direction has to go before the cycle above becomes smaller.
    private static readonly string[] MutualUsesToRemove = [];

    private readonly NamespaceGraph _graph = new(typeof(Atelier).Assembly.Location, "MuseAtelier");

    [Fact]
    public void Print()
    {
        foreach ((string name, IReadOnlySet<string> uses) in _graph.Namespaces) TestContext.Current.SendDiagnosticMessage("{0} -> {1}", name, string.Join(' ', uses));
        Assert.Fail(string.Join('\n', _graph.Namespaces.Select(p => p.Name + " -> " + string.Join(' ', p.Uses))) + "\n\n" + string.Join('\n', _graph.Cycles().Select(c => string.Join(' ', c))) + "\n\n" + string.Join('\n', _graph.MutualUses()));
    }
}

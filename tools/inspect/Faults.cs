namespace MuseAtelier.Tools.Inspect;

/// <summary>The faults that were found, a sentence each.</summary>
internal sealed class Faults
{
    private readonly List<string> _found = [];

    public IReadOnlyList<string> Found => _found;

    public void Add(string package, string sentence) => _found.Add($"{package} {sentence}");

    /// <summary>Adds a fault unless a condition holds.</summary>
    public void Require(bool condition, PackageFile package, string sentence)
    {
        if (!condition) Add(package.Id, sentence);
    }
}

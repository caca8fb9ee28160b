using MuseAtelier.Browser.Tests.Support;

[assembly: AssemblyFixture(typeof(TestCache))]

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>The folder of exported packages that all servers of a run share: the Miniature is exported once.</summary>
public sealed class TestCache : IDisposable
{
    /// <summary>The folder.</summary>
    public static string Folder { get; } = Directory.CreateTempSubdirectory("muse-browser-cache-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

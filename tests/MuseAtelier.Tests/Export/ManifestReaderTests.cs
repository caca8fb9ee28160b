using System.Text;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Export;

/// <summary>The second of two readings of one manifest does not parse it again, and a changed file is read anew.</summary>
public sealed class ManifestReaderTests(TestAtelier miniature) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_OfAChangedFile_GivesWhatTheFileSaysNow()
    {
        string name = miniature.Atelier.Model.Name;
        byte[] manifest = File.ReadAllBytes(Path.Combine(miniature.Atelier.Model.Package, PackageManifest.FileName));
        File.WriteAllBytes(_folder[PackageManifest.FileName], manifest);
        Assert.Equal(name, PackageManifest.Read(_folder[""]).Checkpoint.Name);

        string other = Encoding.UTF8.GetString(manifest).Replace($"\"{name}\"", $"\"{name[..^1]}!\"", StringComparison.Ordinal);
        File.WriteAllText(_folder[PackageManifest.FileName], other);
        Assert.Equal(name[..^1] + "!", PackageManifest.Read(_folder[""]).Checkpoint.Name);

        File.WriteAllText(_folder[PackageManifest.FileName], other[..^3]);
        Assert.Throws<PackageManifestException>(() => PackageManifest.Read(_folder[""]));
    }

    [Fact]
    public void Read_OfTheSameBytes_ParsesThemOnce()
    {
        byte[] manifest = File.ReadAllBytes(Path.Combine(miniature.Atelier.Model.Package, PackageManifest.FileName));
        string text = Encoding.UTF8.GetString(manifest).Replace(miniature.Atelier.Model.Name, "read-once", StringComparison.Ordinal);
        File.WriteAllText(_folder[PackageManifest.FileName], text);
        // Other tests read manifests meanwhile, and only the last one is remembered; a collection may forget it too.
        bool isSame = Enumerable.Range(0, 20).Any(_ =>
            ReferenceEquals(PackageManifest.Read(_folder[""]).Components, PackageManifest.Read(_folder[""]).Components));
        Assert.True(isSame);
    }
}

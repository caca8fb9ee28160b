using System.Text.Json.Nodes;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

public sealed class CacheCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Cache_OfNoFolder_ListsNothingAndCreatesNothing()
    {
        MuseResult result = await Muse.RunAsync("cache", "--cache", _folder["none"]);
        Assert.Equal(0, result.Code);
        Assert.Contains("0 packages", result.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["none"]));
    }

    [Fact]
    public async Task Cache_OfAPackage_TellsWhetherItsCheckpointLeadsToIt()
    {
        string package = await ExportAsync();
        JsonNode before = await ListAsync();
        Assert.Equal("current", before["state"]!.GetValue<string>());
        Assert.Equal(Checkpoint, before["checkpoint"]!.GetValue<string>());
        Assert.Equal(Directory.GetFiles(package, "*", SearchOption.AllDirectories)
            .Sum(file => new FileInfo(file).Length), before["bytes"]!.GetValue<long>());
        Assert.InRange(before["lastUse"]!.GetValue<DateTime>(), DateTime.UtcNow - TimeSpan.FromHours(1),
            DateTime.UtcNow + TimeSpan.FromMinutes(1));

        File.SetLastWriteTimeUtc(Checkpoint, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal("stale", (await ListAsync())["state"]!.GetValue<string>());
        File.Delete(Checkpoint);
        Assert.Contains("gone", (await ListAsync())["staleBecause"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("stale: its checkpoint is gone", (await Muse.RunAsync("cache", "--cache", Cache)).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clear_WithoutAPackage_RemovesLeftoversAlone()
    {
        string package = await ExportAsync(), partial = Path.Combine(Cache, "x.00112233aabb.partial");
        Directory.CreateDirectory(partial);
        File.WriteAllBytes(Path.Combine(partial, "a"), new byte[1000]);
        Directory.SetLastWriteTimeUtc(partial, DateTime.UtcNow - TimeSpan.FromDays(1));
        File.SetLastWriteTimeUtc(Path.Combine(partial, "a"), DateTime.UtcNow - TimeSpan.FromDays(1));
        Assert.Contains("left by an export that was killed", (await Muse.RunAsync("cache", "--cache", Cache)).Out,
            StringComparison.Ordinal);
        MuseResult result = await Muse.RunAsync("cache", "clear", "--cache", Cache);
        Assert.Equal(0, result.Code);
        Assert.Contains("removed x.00112233aabb.partial", result.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(partial));
        Assert.True(File.Exists(Path.Combine(package, PackageManifest.FileName)));
    }

    [Fact]
    public async Task Clear_OfStalePackages_KeepsCurrentOnes()
    {
        string current = await ExportAsync(), stale = current + "x";
        Copy(current, stale);
        MuseResult result = await Muse.RunAsync("cache", "clear", "--stale", "--cache", Cache, "--json");
        Assert.Equal(Path.GetFileName(stale), JsonNode.Parse(result.Out)!["removed"]![0]!["name"]!.GetValue<string>());
        Assert.True(Directory.Exists(current));
        Assert.False(Directory.Exists(stale));
    }

    [Fact]
    public async Task Clear_OfAPackageInUse_KeepsItAndFails()
    {
        string package = await ExportAsync();
        await using (Atelier atelier = await Atelier.OpenAsync(
            package, TestAtelier.Options, cancellationToken: TestContext.Current.CancellationToken))
        {
            MuseResult kept = await Muse.RunAsync("cache", "clear", "--all", "--cache", Cache);
            Assert.Equal(1, kept.Code);
            Assert.Contains("stays", kept.Error, StringComparison.Ordinal);
            Assert.Contains("in use", (await Muse.RunAsync("cache", "--cache", Cache)).Out, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(package, PackageManifest.FileName)));
        }

        Assert.Equal(0, (await Muse.RunAsync("cache", "clear", Path.GetFileName(package), "--cache", Cache)).Code);
        Assert.Empty(Directory.GetFileSystemEntries(Cache));
    }

    [Fact]
    public async Task Clear_OfAnUnknownName_EndsWith1AndNamesThePackage() =>
        (await Muse.RunAsync("cache", "clear", "nothing", "--cache", _folder[""])).AssertFailed(1, "nothing", "muse cache lists");

    [Fact]
    public async Task Clear_OfTwoChoices_IsBadUsage() =>
        (await Muse.RunAsync("cache", "clear", "--all", "--stale")).AssertFailed(2, "exclude");

    private string Cache => _folder["cache"];

    private string Checkpoint => _folder["m.safetensors"];

    private async Task<string> ExportAsync()
    {
        File.Copy(TestAtelier.Checkpoint, Checkpoint);
        await using Atelier atelier = await Atelier.OpenAsync(
            Checkpoint, TestAtelier.Options with { CacheFolder = Cache }, cancellationToken: TestContext.Current.CancellationToken);
        return atelier.Model.Package;
    }

    private async Task<JsonNode> ListAsync() =>
        Assert.Single(JsonNode.Parse((await Muse.RunAsync("cache", "--json", "--cache", Cache)).Out)!["packages"]!.AsArray())!;

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}

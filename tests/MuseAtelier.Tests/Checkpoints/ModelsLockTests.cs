using MuseAtelier.Format;

namespace MuseAtelier.Tests.Checkpoints;

public sealed class ModelsLockTests : IDisposable
{
    private static readonly ModelEntry Entry = new()
    {
        Name = "a",
        File = "a.safetensors",
        Bytes = 3,
        Sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Verify_OfTheMiniature_IsRight()
    {
        ModelEntry miniature = ModelsLock.Embedded.Find("miniature")!;
        var reports = new Reports();
        ModelCheck check = ModelsLock.Verify(
            miniature, Path.Combine(TemporaryFolder.Repository, miniature.Path!), reports, TestContext.Current.CancellationToken);
        Assert.Equal(new ModelCheck(ModelState.Right, miniature.Bytes, miniature.Sha256), check);
        Assert.Equal(1, reports.Last);
    }

    [Fact]
    public void Verify_OfFilesThatDiffer_SaysHow()
    {
        string path = _folder.Write("abc", "abc"u8.ToArray());
        Assert.Equal(ModelState.Right, Verify(Entry, path));
        Assert.Equal(ModelState.Absent, Verify(Entry, _folder["none"]));
        Assert.Equal(ModelState.SizeDiffers, Verify(Entry with { Bytes = 4 }, path));
        Assert.Equal(ModelState.DigestDiffers, Verify(Entry, _folder.Write("abd", "abd"u8.ToArray())));
        Assert.Equal(
            new ModelCheck(ModelState.DigestUnknown, 3, Entry.Sha256),
            ModelsLock.Verify(Entry with { Sha256 = null }, path, null, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Verify_Cancelled_Stops()
    {
        string path = _folder.Write("abc", "abc"u8.ToArray());
        Assert.Throws<OperationCanceledException>(() => ModelsLock.Verify(Entry, path, null, new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Embedded_IsTheRepositorysFile()
    {
        ModelsLock read = ModelsLock.Read(Path.Combine(TemporaryFolder.Repository, ModelsLock.FileName));
        Assert.Equal(read.Models, ModelsLock.Embedded.Models);
        Assert.All(read.Models, model => Assert.Matches("^([0-9a-f]{64})?$", model.Sha256 ?? ""));
        Assert.Null(read.Find("48.safetensors")!.Sha256);
        Assert.Equal("openrail++", read.Find("SD_XL_base_1.0.safetensors")!.License);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"version\":2,\"models\":[]}")]
    [InlineData("{\"version\":1}")]
    public void Read_OfAMalformedFile_ThrowsLockException(string json) =>
        Assert.Throws<ModelsLockException>(() => ModelsLock.Read(_folder.Write("lock", System.Text.Encoding.UTF8.GetBytes(json))));

    [Fact]
    public void Read_OfAMissingFile_ThrowsLockException() => Assert.Throws<ModelsLockException>(() => ModelsLock.Read(_folder["none"]));

    private static ModelState Verify(ModelEntry entry, string path) =>
        ModelsLock.Verify(entry, path, null, TestContext.Current.CancellationToken).State;

    private sealed class Reports : IProgress<double>
    {
        public double Last { get; private set; }

        public void Report(double value) => Last = value;
    }
}

using System.Text.Json.Nodes;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

public sealed class ModelPackageTests : IDisposable
{
    private readonly TestAtelier _miniature;
    private readonly TemporaryFolder _folder = new();

    public ModelPackageTests(TestAtelier miniature)
    {
        _miniature = miniature;
        foreach (string file in Directory.GetFiles(miniature.Atelier.Model.Package, "*", SearchOption.AllDirectories))
        {
            string copy = _folder[Path.GetRelativePath(miniature.Atelier.Model.Package, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private string Package => _folder[""];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task OpenAsync_OfACopiedPackage_PaintsTheSame()
    {
        await using Atelier atelier = await Atelier.OpenAsync(
            Package, TestAtelier.Options with { VerifyDigests = true }, cancellationToken: Cancellation);
        Picture copied = await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Picture original = await _miniature.ReferenceAsync(TestAtelier.Small);
        Assert.Equal(original.Pixels.Span, copied.Pixels.Span);
        Assert.Equal("a89ffbd9fcfabc6e690b75531eccb6ce1e6cd9ee174ad36b0d99024d68c18a17", atelier.Model.Sha256);
    }

    [Fact]
    public async Task OpenAsync_OfAFolderWithoutManifest_Throws()
    {
        File.Delete(_folder[PackageManifest.FileName]);
        await Refuses<MuseAtelierException>();
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1, 2]")]
    [InlineData("{}")]
    public async Task OpenAsync_OfAMalformedManifest_ThrowsManifestException(string json)
    {
        File.WriteAllText(_folder[PackageManifest.FileName], json);
        await Refuses<PackageManifestException>();
    }

    [Fact]
    public async Task OpenAsync_OfAManifestWithItsVersionAlone_ThrowsManifestException()
    {
        File.WriteAllText(
            _folder[PackageManifest.FileName],
            FormattableString.Invariant($$"""{"formatVersion": {{PackageManifest.CurrentFormatVersion}}}"""));
        await Refuses<PackageManifestException>();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(99)]
    public async Task OpenAsync_OfAnotherFormatVersion_NamesItAndTheRemedy(int version)
    {
        Change(manifest => manifest["formatVersion"] = version);
        PackageFormatVersionException exception = await Refuses<PackageFormatVersionException>();
        Assert.Equal(version, exception.FormatVersion);
        Assert.Contains("Export the checkpoint again", exception.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAsync_OfAMissingFile_ThrowsWithItsName()
    {
        File.Delete(_folder["weights/unet.weights"]);
        Assert.Equal("weights/unet.weights", (await Refuses<PackageFileMissingException>()).File);
    }

    [Fact]
    public async Task OpenAsync_OfATruncatedFile_ThrowsWithItsName()
    {
        using (FileStream file = File.OpenWrite(_folder["weights/unet.weights"])) file.SetLength(file.Length - 1);
        Assert.Equal("weights/unet.weights", (await Refuses<PackageFileDamagedException>()).File);
    }

    [Fact]
    public async Task OpenAsync_OfAFlippedBit_IsFoundByDigests()
    {
        using (FileStream file = File.Open(_folder["weights/unet.weights"], FileMode.Open))
        {
            file.Position = file.Length / 2;
            int value = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(value ^ 1));
        }

        Assert.Equal(
            "weights/unet.weights", (await Refuses<PackageFileDamagedException>(TestAtelier.Options with { VerifyDigests = true })).File);
    }

    [Fact]
    public async Task OpenAsync_OfAnotherLowering_SaysWhich()
    {
        Change(manifest => manifest["lowering"] = "Cuda");
        await Refuses<PackageLoweringException>();
    }

    [Theory]
    [InlineData(-256)]
    [InlineData(1L << 40)]
    [InlineData(long.MaxValue)]
    public async Task OpenAsync_OfAWeightOutsideItsFile_Refuses(long offset)
    {
        Change(manifest => Weights(manifest)[0]!["offset"] = offset);
        await Refuses<PackageManifestException>();
    }

    [Fact]
    public async Task OpenAsync_OfAWeightInAFileThatIsNotListed_Refuses()
    {
        Change(manifest => Weights(manifest)[0]!["file"] = "../../etc/passwd");
        await Refuses<PackageManifestException>();
    }

    [Fact]
    public async Task GenerateAsync_OfAGraphThatIsNone_NamesItAndLeavesTheAtelierUsable()
    {
        string graph = Directory.GetFiles(_folder["graphs"], "clip_l*.onnx")[0];
        byte[] good = File.ReadAllBytes(graph);
        File.WriteAllBytes(graph, new byte[good.Length]);
        await using Atelier atelier = await Atelier.OpenAsync(Package, TestAtelier.Options, cancellationToken: Cancellation);
        InferenceException exception = await Assert.ThrowsAsync<InferenceException>(() =>
            atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation));
        Assert.Contains(Path.GetFileName(graph), exception.Message, StringComparison.Ordinal);
        File.WriteAllBytes(graph, good);
        Assert.InRange(
            Likeness.Contrast((await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation)).Pixels.Span), 15, 120);
    }

    private async Task<T> Refuses<T>(AtelierOptions? options = null)
        where T : MuseAtelierException
    {
        T exception = await Assert.ThrowsAnyAsync<T>(() =>
            Atelier.OpenAsync(Package, options ?? TestAtelier.Options, cancellationToken: Cancellation));
        Assert.DoesNotContain('\n', exception.Message);
        return exception;
    }

    [Theory]
    [InlineData("Edm", null, false)]
    [InlineData("VelocityEdm", "{\"least\": 0, \"most\": 80}", false)]
    [InlineData("Edm", "{\"least\": 0.002, \"most\": 1e9}", false)]
    [InlineData("Edm", "{\"least\": 3, \"most\": 2}", false)]
    [InlineData("Velocity", "{\"least\": 0.002, \"most\": 80}", false)]
    [InlineData("Sample", null, true)]
    [InlineData("Edm", "{\"least\": 0.002, \"most\": 80}", true)]
    public async Task OpenAsync_OfImpossibleNoiseLevels_ThrowsManifestException(string prediction, string? sigmas, bool isZeroSnr)
    {
        Change(manifest =>
        {
            JsonNode model = manifest["model"]!;
            model["prediction"] = prediction;
            model["zeroTerminalSnr"] = isZeroSnr;
            if (sigmas is not null) model["sigmas"] = JsonNode.Parse(sigmas);
        });
        await Refuses<PackageManifestException>();
    }

    private void Change(Action<JsonNode> change)
    {
        JsonNode manifest = JsonNode.Parse(File.ReadAllText(_folder[PackageManifest.FileName]))!;
        change(manifest);
        File.WriteAllText(_folder[PackageManifest.FileName], manifest.ToJsonString());
    }

    private static JsonArray Weights(JsonNode manifest) =>
        manifest["components"]!.AsArray().SelectMany(component => component!["stages"]!.AsArray())
            .Select(stage => stage!["weights"]!.AsArray()).First(weights => weights.Count > 0);
}

using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Cli;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Export;

/// <summary>VAEs in files of their own, which replace the model's.</summary>
public sealed class VaeOverlayTests : IDisposable
{
    private const string Prefix = "first_stage_model.";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Lowering.Portable, false)]
    [InlineData(Lowering.Portable, true)]
    [InlineData(Lowering.Cuda, false)]
    public void Resolve_WithAVae_GivesTheVaeOfAFullExport(Lowering lowering, bool hasDiffusersNames)
    {
        (string checkpoint, string vae) = Write(hasDiffusersNames);
        var choice = new PackageChoice(lowering, null, _folder["cache"], VerifiesDigests: false) { VaeFile = vae };
        Assert.Null(PackageCache.Find(TestAtelier.Checkpoint, choice));
        string folder = PackageCache.Resolve(TestAtelier.Checkpoint, choice, null, Cancellation);
        Assert.Equal(folder, PackageCache.Find(TestAtelier.Checkpoint, choice));
        CheckpointExporter.Export(
            checkpoint, _folder["full"], new ExportOptions { Lowering = lowering }, cancellationToken: Cancellation);
        PackageManifest found = PackageManifest.Read(folder), expected = PackageManifest.Read(_folder["full"]);

        WeightSpec[] own = Weights(found), full = Weights(expected);
        Assert.Equal(full.Length, own.Length);
        for (int i = 0; i < full.Length; i++)
        {
            Assert.Equal((full[i].Type, full[i].Source), (own[i].Type, own[i].Source));
            Assert.Equal(Bytes(expected, _folder["full"], full[i]), Bytes(found, folder, own[i]));
        }

        // The base is shared: only the VAE lies in the overlay.
        Assert.All(found.Files.Where(file => found.Overlay!.OwnFiles.Contains(file.Name)), file =>
            Assert.Contains("vae_", file.Name, StringComparison.Ordinal));
        Assert.Equal(new VaeSpec("my.vae.safetensors", Sha256.Hash(File.ReadAllBytes(vae))), found.Vae);
        Assert.Equal(PackageManifest.Read(found.Overlay!.BaseFolder).Checkpoint, found.Checkpoint);
        bool hasRescue = found.Components.Any(component => component.Name == ComponentNames.VaeDecoderFp32);
        Assert.Equal(lowering == Lowering.Cuda, hasRescue);
    }

    [Fact]
    public async Task Render_WithAVae_PaintsAsACheckpointWithItAndNamesIt()
    {
        (string checkpoint, string vae) = Write(hasDiffusersNames: false);
        string[] picture = ["render", "sea", "--width", "256", "--height", "256", "--steps", "1", "--seed", "5", "--cache", _folder["cache"]];
        Assert.Equal(0, (await Muse.RunAsync([.. picture, "--vae", vae, "--out", _folder["own.png"]])).Code);
        Assert.Equal(0, (await Muse.RunAsync([.. picture, "--model", checkpoint, "--out", _folder["full.png"]])).Code);
        Assert.Equal(0, (await Muse.RunAsync([.. picture, "--out", _folder["plain.png"]])).Code);
        PictureRecord own = Record("own.png"), full = Record("full.png"), plain = Record("plain.png");
        Assert.Equal(full.Hashes.Pixels, own.Hashes.Pixels);
        Assert.NotEqual(plain.Hashes.Pixels, own.Hashes.Pixels);
        Assert.Equal((plain.Model.Name, plain.Model.Sha256), (own.Model.Name, own.Model.Sha256));
        string sha256 = Sha256.Hash(File.ReadAllBytes(vae));
        Assert.Equal(new UsedVae { Name = "my.vae.safetensors", Sha256 = sha256 }, own.Model.Vae);
        string text = PictureFile.Read(_folder["own.png"]).Parameters!;
        Assert.Contains($", VAE hash: {sha256[..10]}, VAE: my.vae.safetensors", text, StringComparison.Ordinal);

        string[] verify = ["verify", _folder["own.png"], "--cache", _folder["cache"]];
        MuseResult without = await Muse.RunAsync(verify);
        Assert.Equal(1, without.Code);
        Assert.Contains("the VAE was my.vae.safetensors", without.Out, StringComparison.Ordinal);
        MuseResult with = await Muse.RunAsync([.. verify, "--vae", vae]);
        Assert.Contains("same bytes", with.Out, StringComparison.Ordinal);
        MuseResult replay = await Muse.RunAsync("replay", _folder["own.png"], "--cache", _folder["cache"], "--out", _folder["again.png"]);
        Assert.Contains("the VAE my.vae.safetensors", replay.Error, StringComparison.Ordinal);

        PictureRecord Record(string name) => PictureFile.Read(_folder[name]).ReadRecord();
    }

    [Fact]
    public void List_OfAnOverlayOfAVae_IsStaleOnceItsFileChanged()
    {
        (_, string vae) = Write(hasDiffusersNames: false);
        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"], VaeFile = vae };
        string first = PackageCache.Resolve(TestAtelier.Checkpoint, options.PackageChoice, null, Cancellation);
        Assert.All(CachedPackages.List(_folder["cache"]).Packages, package => Assert.Null(package.StaleBecause));
        Assert.Equal(2, CachedPackages.List(_folder["cache"]).Packages.Count);

        File.SetLastWriteTimeUtc(vae, File.GetLastWriteTimeUtc(vae).AddSeconds(1));
        CachedPackage stale = CachedPackages.List(_folder["cache"]).Packages.Single(package => package.Folder == first);
        Assert.Contains("VAE was changed", stale.StaleBecause, StringComparison.Ordinal);
        Assert.NotEqual(first, PackageCache.Resolve(TestAtelier.Checkpoint, options.PackageChoice, null, Cancellation));
        File.Delete(vae);
        Assert.Throws<CheckpointNotFoundException>(() =>
            PackageCache.Resolve(TestAtelier.Checkpoint, options.PackageChoice, null, Cancellation));
    }

    [Fact]
    public void Plan_WithAVaeInFp32_CountsItsWeights()
    {
        (string checkpoint, string vae) = Write(hasDiffusersNames: false);
        ModelSizes sizes = ModelSizes.Read(TestAtelier.Checkpoint, Lowering.Portable), larger = sizes.WithVae(vae);
        Assert.Equal(Constants(ModelSizes.Read(checkpoint, Lowering.Portable)), Constants(larger));
        Assert.True(Constants(sizes) < Constants(larger));
        Assert.Equal(sizes.Components.Select(component => component.Name), larger.Components.Select(component => component.Name));
        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"] };
        long before = Atelier.Plan(TestAtelier.Checkpoint, options, TestAtelier.Small).PeakBytes;
        Assert.True(Atelier.Plan(TestAtelier.Checkpoint, options with { VaeFile = vae }, TestAtelier.Small).PeakBytes > before);
        Assert.False(Directory.Exists(_folder["cache"]));

        static long Constants(ModelSizes sizes) =>
            sizes.Component(ComponentNames.VaeDecoder).Stages.Sum(stage => stage.ConstantBytes);
    }

    [Theory]
    [InlineData("decoder.conv_in.weight", new long[] { 4, 16, 3, 3 }, "16 channels")]
    [InlineData("decoder.layers.0.weight", new long[] { 4 }, "tiny VAE")]
    [InlineData("1.weight", new long[] { 4 }, "holds no VAE")]
    [InlineData("3.conv.0.weight", new long[] { 4 }, "tiny VAE")]
    [InlineData("decoder.middle.0.residual.0.gamma", new long[] { 4 }, "video")]
    [InlineData("lora_unet_x.lora_up.weight", new long[] { 4 }, "LoRA")]
    [InlineData("encoder.conv_in.weight", new long[] { 4, 3, 3, 3 }, "without a decoder")]
    public void Open_OfAnotherKind_NamesIt(string tensor, long[] shape, string word)
    {
        string path = _folder.WriteTensors([(tensor, shape)]);
        VaeKindException refusal = Assert.Throws<VaeKindException>(() => VaeFile.Open(path));
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_WithAVaeThatLacksTheEncoder_NamesItsTensors()
    {
        RawCheckpoint vae = Changed();
        vae.Rename(name => name.StartsWith("encoder.", StringComparison.Ordinal) ? null : name);
        var choice = new PackageChoice(Lowering.Portable, null, _folder["cache"], VerifiesDigests: false)
        {
            VaeFile = vae.Write(_folder["v.safetensors"]),
        };
        MissingTensorsException refusal = Assert.Throws<MissingTensorsException>(() =>
            PackageCache.Resolve(TestAtelier.Checkpoint, choice, null, Cancellation));
        Assert.Contains(refusal.Mismatches, mismatch => mismatch.Name.Contains("encoder.", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_OfAnOverlayForAVaeThatReplacesMore_IsRefused()
    {
        (_, string vae) = Write(hasDiffusersNames: false);
        var choice = new PackageChoice(Lowering.Portable, null, _folder["cache"], VerifiesDigests: false) { VaeFile = vae };
        string folder = PackageCache.Resolve(TestAtelier.Checkpoint, choice, null, Cancellation);
        string manifest = Path.Combine(folder, PackageManifest.FileName);
        File.WriteAllText(
            manifest, File.ReadAllText(manifest).Replace("\"component\": \"vae_encoder\"", "\"component\": \"unet\"", StringComparison.Ordinal));
        PackageManifestException refusal = Assert.Throws<PackageManifestException>(() => PackageManifest.Read(folder));
        Assert.Contains("replaces a stage of unet", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tiled")]
    [InlineData("whole")]
    public async Task Render_WithTheWordsOfVaeTiling_SaysTheNewOption(string word)
    {
        MuseResult result = await Muse.RunAsync("render", "sea", "--vae", word);
        result.AssertFailed(2, $"--vae-tiling {word}");
    }

    // The VAE's tensors with other values, in fp32 and without a prefix.
    private static RawCheckpoint Changed()
    {
        RawCheckpoint whole = RawCheckpoint.Miniature();
        var vae = new RawCheckpoint();
        foreach ((string name, RawCheckpoint.Tensor tensor) in whole.Tensors)
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal)) continue;
            float[] values = [.. whole.Floats(name).Select(value => value * 0.9931f)];
            vae.SetSingles(name[Prefix.Length..], values, tensor.Shape);
        }

        return vae;
    }

    // A checkpoint with the changed VAE, and that VAE in a file of its own.
    private (string Checkpoint, string Vae) Write(bool hasDiffusersNames)
    {
        RawCheckpoint vae = Changed(), whole = RawCheckpoint.Miniature();
        foreach ((string name, RawCheckpoint.Tensor tensor) in vae.Tensors) whole.Tensors[Prefix + name] = tensor;
        if (hasDiffusersNames) vae.Rename(SplitModel.VaeName);
        return (whole.Write(_folder["whole.safetensors"]), vae.Write(_folder["my.vae.safetensors"]));
    }

    private static WeightSpec[] Weights(PackageManifest manifest) =>
        [.. manifest.Components.SelectMany(component => component.Stages).SelectMany(stage => stage.Weights.Concat(stage.Constants))];

    private static byte[] Bytes(PackageManifest manifest, string folder, WeightSpec weight)
    {
        using FileStream file = File.OpenRead(manifest.PathOf(folder, weight.File));
        file.Position = weight.Offset;
        byte[] bytes = new byte[weight.Bytes];
        file.ReadExactly(bytes);
        return bytes;
    }
}

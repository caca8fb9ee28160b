using System.Text.Json.Nodes;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Export;

/// <summary>Overlays: packages that hold only the stages that differ from those of another package.</summary>
public sealed class OverlayTests(OverlayTests.Bases bases) : IClassFixture<OverlayTests.Bases>, IDisposable
{
    private const string Block = "model.diffusion_model.middle_block.1.transformer_blocks.0.";
    private const string Attention = Block + "attn1.to_q.weight";
    private const string Context = Block + "attn2.to_k.weight";
    private const string Kernel = "model.diffusion_model.middle_block.0.in_layers.2.weight";
    private const string Bias = "model.diffusion_model.middle_block.0.out_layers.3.bias";
    private const string Stacked = "conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight";
    private const string Decoder = "first_stage_model.decoder.conv_in.weight";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Lowering.Portable, Attention)]
    [InlineData(Lowering.Portable, Kernel)]
    [InlineData(Lowering.Portable, Stacked)]
    [InlineData(Lowering.Cuda, Attention)]
    [InlineData(Lowering.Cuda, Context)]
    [InlineData(Lowering.Cuda, Kernel)]
    [InlineData(Lowering.Cuda, Bias)]
    [InlineData(Lowering.Cuda, Decoder)]
    public void Write_OfOneChangedTensor_GivesTheWeightsOfAFullExport(Lowering lowering, string tensor)
    {
        var options = new ExportOptions { Lowering = lowering };
        PackageManifest basis = CopyBase(lowering);
        long bytes = Overlay(tensor);
        CheckpointExporter.Export(Changed(tensor), _folder["full"], options, cancellationToken: Cancellation);
        PackageManifest overlay = PackageManifest.Read(_folder["overlay"]), full = PackageManifest.Read(_folder["full"]);
        Assert.InRange(bytes, 1, basis.Files.Sum(file => file.Bytes) / 2);

        WeightSpec[] expected = Weights(full), found = Weights(overlay);
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i].Source, found[i].Source);
            Assert.Equal(Bytes(full, "full", expected[i]), Bytes(overlay, "overlay", found[i]));
        }

        // Stages without the tensor stay in the base.
        Assert.Contains(found, IsOwn);
        StageSpec[] stages = [.. overlay.Components.SelectMany(component => component.Stages)];
        Assert.All(stages.Where(stage => stage.Weights.Concat(stage.Constants).Any(IsOwn)), stage =>
            Assert.Contains(stage.Weights.Concat(stage.Constants), weight => weight.Slices.Any(slice => slice.Key == tensor)));

        bool IsOwn(WeightSpec weight) => overlay.Overlay!.OwnFiles.Contains(weight.File);
    }

    [Theory]
    [InlineData(Attention)]
    [InlineData(Kernel)]
    public async Task GenerateAsync_WithAnOverlay_PaintsThePictureOfAFullExport(string tensor)
    {
        CopyBase(Lowering.Portable);
        Overlay(tensor);
        string changed = Changed(tensor);
        Picture original = await PaintAsync(_folder["base"]);
        Picture expected = await PaintAsync(changed);
        Picture found = await PaintAsync(_folder["overlay"]);
        Assert.Equal(expected.Pixels.ToArray(), found.Pixels.ToArray());
        Assert.Equal(expected.Provenance.StepHashes, found.Provenance.StepHashes);
        Assert.NotEqual(original.Pixels.ToArray(), found.Pixels.ToArray());
        // A record must not take the changed model for the unchanged one.
        Assert.NotEqual(original.Model.Sha256, found.Model.Sha256);
        Assert.Equal("changed", found.Model.Name);
    }

    [Fact]
    public void Write_OfNoChange_HoldsNoFiles()
    {
        PackageManifest basis = CopyBase(Lowering.Portable);
        Assert.Equal(0, Write(new Dictionary<string, TensorChange>()));
        Assert.Equal(basis.Files, PackageManifest.Read(_folder["overlay"]).Files);
    }

    [Fact]
    public void Write_OfATensorThatNoWeightIsMadeOf_NamesItAndWritesNothing()
    {
        CopyBase(Lowering.Portable);
        OverlayTensorException exception = Assert.Throws<OverlayTensorException>(() => Overlay("model.diffusion_model.no.weight"));
        Assert.Equal(["model.diffusion_model.no.weight"], exception.Tensors);
        Assert.Equal(["base"], Directory.GetFileSystemEntries(_folder[""]).Select(Path.GetFileName));
    }

    [Fact]
    public void Write_OfAnotherCheckpoint_RefusesIt()
    {
        CopyBase(Lowering.Portable);
        string other = Changed(Attention);
        OverlayOptions options = Options([]) with { Checkpoint = other };
        Assert.Throws<OverlayCheckpointException>(() => OverlayWriter.Write(options, _folder["overlay"], Cancellation));
        Assert.False(Directory.Exists(_folder["overlay"]));
    }

    [Theory]
    [InlineData(1e6f)]
    [InlineData(float.NaN)]
    public void Write_OfValuesThatFp16CannotHold_RefusesThem(float value)
    {
        CopyBase(Lowering.Cuda);
        var changes = new Dictionary<string, TensorChange> { [Attention] = (_, values) => values[^1] = value };
        CheckpointException exception = Assert.ThrowsAny<CheckpointException>(() => Write(changes));
        Assert.Contains(Attention, exception.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["overlay"]));
    }

    [Fact]
    public void Write_OfABaseWhoseFileIsTruncated_NamesTheFileAndWritesNothing()
    {
        CopyBase(Lowering.Portable);
        using (FileStream file = File.OpenWrite(_folder["base/weights/unet.weights"])) file.SetLength(file.Length - 1);
        Assert.Equal("weights/unet.weights", Assert.Throws<PackageFileDamagedException>(() => Overlay(Attention)).File);
        Assert.Equal(["base"], Directory.GetFileSystemEntries(_folder[""]).Select(Path.GetFileName));
    }

    [Fact]
    public void Write_AwayFromTheBase_Refuses()
    {
        CopyBase(Lowering.Portable);
        Assert.Throws<ExportFolderException>(() => OverlayWriter.Write(Options([]), _folder["elsewhere/overlay"], Cancellation));
    }

    [Fact]
    public void Read_WithoutTheBaseOrWithAnother_NamesTheBase()
    {
        CopyBase(Lowering.Portable);
        Overlay(Attention);
        Directory.Move(_folder["base"], _folder["moved"]);
        Assert.Equal(_folder["base"], Assert.Throws<PackageBaseException>(() => PackageManifest.Read(_folder["overlay"])).BasePackage);
        CopyBase(Lowering.Cuda);
        Assert.Equal(_folder["base"], Assert.Throws<PackageBaseException>(() => PackageManifest.Read(_folder["overlay"])).BasePackage);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData(".. ")]
    [InlineData("base.")]
    [InlineData("../base")]
    [InlineData("sub/base")]
    [InlineData("sub\\base")]
    [InlineData("C:base")]
    public void Read_OfABaseThatIsNoName_Refuses(string folder) =>
        Refuses(overlay => overlay["base"]!["folder"] = folder);

    [Fact]
    public void Read_OfStagesThatTheBaseLacks_Refuses() => Refuses(overlay => overlay["stages"]![0]!["component"] = "clip_h");

    [Fact]
    public void Read_OfAFileThatTheBaseHas_Refuses() => Refuses(overlay => overlay["files"]![0]!["name"] = "weights/unet.weights");

    [Fact]
    public void Read_OfWeightsOutsideTheirFile_Refuses() =>
        Refuses(overlay => overlay["stages"]![0]!["stage"]!["weights"]![0]!["offset"] = 1L << 40);

    [Fact]
    public void Read_OfAStageOfOtherTensors_Refuses() =>
        Refuses(overlay => overlay["stages"]![0]!["stage"]!["outputs"]![0]!["tensor"] = "noise");

    [Fact]
    public void Open_OfADamagedFileOfTheBase_NamesIt()
    {
        CopyBase(Lowering.Portable);
        Overlay(Attention);
        using (FileStream file = File.OpenWrite(_folder["base/weights/unet.weights"])) file.SetLength(file.Length - 1);
        PackageFileDamagedException exception = Assert.Throws<PackageFileDamagedException>(
            () => ModelPackage.Open(_folder["overlay"], verifyDigests: false, null, Cancellation));
        Assert.Equal("weights/unet.weights", exception.File);
    }

    [Fact]
    public void Export_OntoTheBaseOfAnOpenOverlay_Refuses()
    {
        CopyBase(Lowering.Portable);
        Overlay(Attention);
        using ModelPackage package = ModelPackage.Open(_folder["overlay"], verifyDigests: true, null, Cancellation);
        Assert.Throws<ExportFolderException>(
            () => CheckpointExporter.Export(
                NarrowAtelier.Checkpoint, _folder["base"], new ExportOptions(), cancellationToken: Cancellation));
    }

    private void Refuses(Action<JsonNode> change)
    {
        CopyBase(Lowering.Portable);
        Overlay(Attention);
        string path = Path.Combine(_folder["overlay"], PackageManifest.FileName);
        JsonNode overlay = JsonNode.Parse(File.ReadAllText(path))!;
        change(overlay);
        File.WriteAllText(path, overlay.ToJsonString());
        Assert.Throws<PackageManifestException>(() => PackageManifest.Read(_folder["overlay"]));
    }

    // Tests may damage what they get.
    private PackageManifest CopyBase(Lowering lowering)
    {
        string source = bases.Of(lowering);
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(_folder["base"], Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return PackageManifest.Read(_folder["base"]);
    }

    private long Overlay(string tensor) => Write(new Dictionary<string, TensorChange> { [tensor] = Change });

    private long Write(Dictionary<string, TensorChange> changes) => OverlayWriter.Write(Options(changes), _folder["overlay"], Cancellation);

    private OverlayOptions Options(Dictionary<string, TensorChange> changes) => new()
    {
        BasePackage = _folder["base"],
        Checkpoint = NarrowAtelier.Checkpoint,
        Name = "changed",
        Changes = changes,
    };

    // Every result is a number of F16, so that a checkpoint of that type can hold it. It depends on the element's place in the tensor.
    private static void Change(long first, Span<float> values)
    {
        for (int i = 0; i < values.Length; i++) values[i] *= (first + i) % 3 == 0 ? -1 : 0.5f;
        for (int i = 0; i < values.Length; i++) values[i] = (float)(Half)values[i];
    }

    private string Changed(string tensor)
    {
        string path = _folder["changed.safetensors"];
        using SafetensorsFile source = SafetensorsFile.Open(NarrowAtelier.Checkpoint);
        SafetensorsDeclaration[] tensors =
            [.. source.Tensors.Values.Select(entry => new SafetensorsDeclaration(entry.Name, entry.Type!.Value, entry.Shape))];
        CheckpointVariant.Write(source, path, tensors, (name, values) =>
        {
            if (name == tensor) Change(0, values);
        });
        return path;
    }

    private async Task<Picture> PaintAsync(string model)
    {
        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"] };
        await using Atelier atelier = await Atelier.OpenAsync(model, options, cancellationToken: Cancellation);
        return await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
    }

    private static WeightSpec[] Weights(PackageManifest manifest) =>
        [.. manifest.Components.SelectMany(component => component.Stages).SelectMany(stage => stage.Weights.Concat(stage.Constants))];

    private byte[] Bytes(PackageManifest manifest, string package, WeightSpec weight)
    {
        byte[] bytes = new byte[weight.Bytes];
        using FileStream file = File.OpenRead(manifest.PathOf(_folder[package], weight.File));
        file.Position = weight.Offset;
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>The packages that overlays are made for, exported once for all tests of the class.</summary>
    public sealed class Bases : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public void Dispose() => _folder.Dispose();

        /// <summary>The folder of the narrow checkpoint's package.</summary>
        internal string Of(Lowering lowering)
        {
            string folder = _folder[lowering.ToString()];
            var options = new ExportOptions { Lowering = lowering };
            if (Directory.Exists(folder)) return folder;
            CheckpointExporter.Export(NarrowAtelier.Checkpoint, folder, options, cancellationToken: Cancellation);
            return folder;
        }
    }
}

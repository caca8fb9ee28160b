using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using MuseAtelier.Checking;
using MuseAtelier.Export;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Format;
using MuseAtelier.Residency;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Hostile;

/// <summary>Files that anybody may have made: each is read, or refused by a documented type.</summary>
public sealed class HostileFileTests(TestAtelier miniature) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_OfMutatedManifests_RefusesByTypeOrCanBePlanned()
    {
        string package = miniature.Atelier.Model.Package;
        Copy(package);
        byte[] manifest = File.ReadAllBytes(Path.Combine(package, PackageManifest.FileName));
        var mutation = new JsonMutation(manifest, seed: 14);
        var run = new MutationRun();
        for (int i = 0; i < MutationRun.Count(800); i++)
        {
            byte[] input = i == 0 ? manifest : mutation.Next();
            File.WriteAllBytes(_folder[PackageManifest.FileName], input);
            run.Try(i, input, () => OpenAndPlan(_folder[""]));
        }

        TestContext.Current.SendDiagnosticMessage("manifests: {0}", run);
        // The undamaged one, and damage to what nothing depends on.
        Assert.InRange(run.Read, 1, MutationRun.Count(800) / 2);
    }

    [Fact]
    public void Open_OfMutatedOverlays_RefusesByTypeOrOpens()
    {
        CheckpointExporter.Export(
            TestAtelier.Checkpoint, _folder["base"], new ExportOptions(), cancellationToken: TestContext.Current.CancellationToken);
        const string tensor = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight";
        var options = new OverlayOptions
        {
            BasePackage = _folder["base"],
            Checkpoint = TestAtelier.Checkpoint,
            Name = "changed",
            Changes = new Dictionary<string, TensorChange> { [tensor] = (_, values) => values.Clear() },
        };
        OverlayWriter.Write(options, _folder["overlay"], TestContext.Current.CancellationToken);
        string path = Path.Combine(_folder["overlay"], PackageManifest.FileName);
        byte[] manifest = File.ReadAllBytes(path);
        var mutation = new JsonMutation(manifest, seed: 19);
        var run = new MutationRun();
        for (int i = 0; i < MutationRun.Count(250); i++)
        {
            byte[] input = i == 0 ? manifest : mutation.Next();
            File.WriteAllBytes(path, input);
            run.Try(i, input, () => OpenAndPlan(_folder["overlay"]));
        }

        TestContext.Current.SendDiagnosticMessage("overlays: {0}", run);
        Assert.InRange(run.Read, 1, MutationRun.Count(250) / 2);
    }

    [Fact]
    public void Read_OfMutatedReferenceValues_RefusesByTypeOrReadsAll()
    {
        byte[] golden = File.ReadAllBytes(GoldenFiles.Miniature.Path),
            notes = File.ReadAllBytes(Path.ChangeExtension(GoldenFiles.Miniature.Path, ".json"));
        int headerBytes = (int)BinaryPrimitives.ReadInt64LittleEndian(golden);
        byte[] header = golden[8..(8 + headerBytes)];
        ModelSpec model = PackageManifest.Read(miniature.Atelier.Model.Package).Model;
        JsonMutation headers = new(header, seed: 15), texts = new(notes, seed: 16);
        var random = new Random(18);
        var run = new MutationRun();
        string path = _folder["values.safetensors"];
        for (int i = 0; i < MutationRun.Count(500); i++)
        {
            bool inNotes = i % 4 == 3;
            byte[] input = i == 0 || inNotes ? header : i % 2 == 0 ? headers.Next() : Rearranged(header, random), beside = inNotes
                ? texts.Next() : notes;
            WriteValues(path, input, golden.AsSpan(8 + headerBytes));
            File.WriteAllBytes(Path.ChangeExtension(path, ".json"), beside);
            run.Try(i, inNotes ? beside : input, () => ReadAll(path, model));
        }

        TestContext.Current.SendDiagnosticMessage("reference values: {0}", run);
        Assert.InRange(run.Read, 1, MutationRun.Count(500) / 2);
    }

    [Fact]
    public void Read_OfMutatedModelsLocks_RefusesByTypeOrReads()
    {
        byte[] models = File.ReadAllBytes(Path.Combine(TemporaryFolder.Repository, ModelsLock.FileName));
        var mutation = new JsonMutation(models, seed: 17);
        var run = new MutationRun();
        for (int i = 0; i < MutationRun.Count(2000); i++)
        {
            byte[] input = i == 0 ? models : mutation.Next();
            string path = _folder.Write("models.lock", input);
            run.Try(i, input, () =>
            {
                ModelsLock read = ModelsLock.Read(path);
                Assert.All(read.Models, model => Assert.NotNull(model.Name));
                read.Find("miniature");
            });
        }

        TestContext.Current.SendDiagnosticMessage("models.lock: {0}", run);
        Assert.InRange(run.Read, 1, MutationRun.Count(2000) - 1);
    }

    [Theory]
    [InlineData("\"rows\"", "\"1\"")]
    [InlineData("\"tokens\"", "77")]
    [InlineData("\"inputChannels\": 4", "\"inputChannels\": 9")]
    [InlineData("\"latentChannels\": 4", "\"latentChannels\": 16")]
    [InlineData("\"height*8\"", "\"height*7\"")]
    [InlineData("\"log_variance\"", "\"variance\"")]
    [InlineData("\"textLength\": 77", "\"textLength\": 76")]
    [InlineData("\"clipGWidth\": 64", "\"clipGWidth\": 65")]
    [InlineData("\"weights/unet.weights\"", "\"weights/../unet.weights\"")]
    [InlineData("\"weights/unet.weights\"", "\"/weights/unet.weights\"")]
    [InlineData("\"weights/unet.weights\"", "\"weights\\\\unet.weights\"")]
    [InlineData("\"steps\"", "\"steps/0\"")]
    [InlineData("\"F32\"", "\"F31\"")]
    [InlineData("\"F32\"", "5")]
    [InlineData("\"kind\": \"Transformer\"", "\"kind\": 7")]
    [InlineData("\"latentScale\": 0.13025", "\"latentScale\": 0")]
    [InlineData("\"constants\": [", "\"constants\": null, \"others\": [")]
    [InlineData("\"slices\": [", "\"slices\": [], \"others\": [")]
    [InlineData("\"firstRow\": 0", "\"firstRow\": -1")]
    [InlineData("\"firstRow\": 0", "\"firstRow\": 9223372036854775807")]
    [InlineData("\"rows\": 64", "\"rows\": 65")]
    [InlineData("\"offset\": 4096", "\"offset\": 4352")]
    public void Read_OfAManifestThatTheEngineCannotUse_ThrowsManifestException(string from, string to)
    {
        string manifest = File.ReadAllText(Path.Combine(miniature.Atelier.Model.Package, PackageManifest.FileName));
        Assert.Contains(from, manifest, StringComparison.Ordinal);
        File.WriteAllText(_folder[PackageManifest.FileName], manifest.Replace(from, to, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', Assert.Throws<PackageManifestException>(() => PackageManifest.Read(_folder[""])).Message);
    }

    [Fact]
    public void Read_OfAnEndlessManifest_ReadsNothingOfIt()
    {
        using (FileStream file = File.Create(_folder[PackageManifest.FileName]))
        {
            SparseFile.Mark(file);
            file.SetLength(4L << 30);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<PackageManifestException>(() => PackageManifest.Read(_folder[""]));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    // All that happens before sessions are made.
    private static void OpenAndPlan(string folder)
    {
        using ModelPackage package = ModelPackage.Open(folder, verifyDigests: false, null, CancellationToken.None);
        package.RequireUnchanged();
        ModelSizes sizes = ModelSizes.Of(package.Manifest);
        if (sizes.Lowering != Lowering.Portable) return;
        ResidencyPlanner.Plan(sizes, new ResidencyRequest { Budget = 8L << 30, Width = 512, Height = 512, Steps = 30 },
            TestAtelier.Options.Backend.Profile);
        var shape = new PictureShape(2, 64, 64, 30) { CanvasHeight = 700, CanvasWidth = 700 };
        foreach (ComponentSpec component in package.Manifest.Components)
        {
            Assert.InRange(TensorBlocks.Bytes(component, shape), 0, 1L << 40);
            foreach (WeightSpec weight in component.Stages.SelectMany(stage => stage.Weights)) Touch(
                package.MappedWeight(weight), weight.Bytes);
        }
    }

    private static unsafe void Touch(nint start, long bytes) => Assert.InRange(((byte*)start)[0] + ((byte*)start)[bytes - 1], 0, 510);

    private static void ReadAll(string path, ModelSpec model)
    {
        using ReferenceValues values = ReferenceValues.Open(path);
        new ReferenceRules(values, model).Check();
        foreach (TextCase text in values.Texts()) Assert.Equal(77, text.IdsL.Length);
        foreach (UNetCase call in values.UNetCalls()) values.Floats(call.Noise);
        foreach ((string latent, string image) in values.Decodings().Concat(values.Encodings())) Assert.NotEqual(
            values.Floats(latent).Length, values.Floats(image).Length);
        if (values.Run() is not null) values.Floats("run.x0");
    }

    // Sound headers of other content: tensors renamed, left out, of another shape or type of the same size.
    private static byte[] Rearranged(byte[] header, Random random)
    {
        JsonObject tensors = JsonNode.Parse(header)!.AsObject();
        for (int faults = random.Next(1, 4); faults > 0; faults--)
        {
            string[] names = [.. tensors.Select(tensor => tensor.Key).Where(name => name != "__metadata__")];
            string name = names[random.Next(names.Length)], other = names[random.Next(names.Length)];
            long[] shape = [.. tensors[name]!["shape"]!.AsArray().Select(size => size!.GetValue<long>())];
            switch (random.Next(6))
            {
                case 0: tensors.Remove(name); break;
                case 1: (tensors[name], tensors[other]) = (tensors[other]!.DeepClone(), tensors[name]!.DeepClone()); break;
                case 2: tensors[name]!["shape"] = Shape(shape.Reverse()); break;
                case 3: tensors[name]!["shape"] = Shape([shape.Aggregate(1L, (product, size) => product * size)]); break;
                case 4: tensors[name]!["shape"] = Shape([1, .. shape]); break;
                default: tensors[name]!["dtype"] = tensors[name]!["dtype"]!.GetValue<string>() == "F32" ? "I32" : "I8"; break;
            }
        }

        return Encoding.UTF8.GetBytes(tensors.ToJsonString());

        static JsonArray Shape(IEnumerable<long> sizes) => [.. sizes.Select(size => JsonValue.Create(size))];
    }

    private static void WriteValues(string path, byte[] header, ReadOnlySpan<byte> data)
    {
        byte[] length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        using FileStream file = File.Create(path);
        file.Write(length);
        file.Write(header);
        file.Write(data);
    }

    private void Copy(string package)
    {
        foreach (string file in Directory.GetFiles(package, "*", SearchOption.AllDirectories))
        {
            string copy = _folder[Path.GetRelativePath(package, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}

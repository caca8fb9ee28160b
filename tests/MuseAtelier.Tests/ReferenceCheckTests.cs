using MuseAtelier.Checking;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Lowerings;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests;

public sealed class ReferenceCheckTests : IDisposable
{
    private static readonly string[] AllParts =
    [
        "Token ids", "CLIP-L hidden", "CLIP-G hidden", "CLIP-G pooled", "UNet 128x128", "UNet 192x64", "VAE decode 128x128",
        "VAE decode 192x64",
        "VAE encode 128x128", "VAE encode 192x64", "Latents after 8 steps", "Picture 192x128",
    ];

    private readonly TestAtelier _miniature;
    private readonly TemporaryFolder _folder = new();

    public ReferenceCheckTests(TestAtelier miniature) => _miniature = miniature;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task RunAsync_OfEveryGolden_PassesWithoutLeavingAnythingOut()
    {
        foreach (GoldenFile golden in GoldenFiles.All)
        {
            ReferenceReport report = await Check(GoldenFiles.CheckpointOf(golden), golden.Path);
            Assert.Empty(report.LeftOut);
            Assert.All(report.Parts, part => Assert.True(part.Passed, $"{golden}: {part}"));
            Assert.Equal(AllParts, report.Parts.Select(part => part.Name));
            Assert.True(report.Passed);
        }
    }

    [Fact]
    public async Task RunAsync_OfValuesThatAreOff_FailsEachPart()
    {
        // One number in a thousand is off by a hundredth of the tensor's largest.
        string path = Rewrite((name, values) =>
        {
            if (!IsResult(name)) return;
            float off = values.Max(Math.Abs) / 100;
            for (int i = 0; i < values.Length; i += 1000) values[i] += off;
        });
        File.Copy(Path.ChangeExtension(GoldenFiles.Miniature.Path, ".json"), Path.ChangeExtension(path, ".json"));
        ReferenceReport report = await Check(_miniature.Atelier.Model.Package, path);
        Assert.False(report.Passed);
        Assert.Equal(AllParts, report.Parts.Select(part => part.Name));
        // The token ids are unchanged, and so small an error is invisible in the picture.
        Assert.Equal(["Token ids", "Picture 192x128"], report.Parts.Where(part => part.Passed).Select(part => part.Name));
        Assert.All(report.Parts.Where(part => !part.Passed), part => Assert.InRange(part.RelativeError, 1e-4, 1e-1));

        static bool IsResult(string name) =>
            name.Contains(".hidden_", StringComparison.Ordinal)
            || name.Contains(".pooled.", StringComparison.Ordinal)
            || (name.StartsWith("unet.", StringComparison.Ordinal) && name.EndsWith(".noise", StringComparison.Ordinal))
            || name.EndsWith(".image", StringComparison.Ordinal)
            || name.EndsWith(".encode_mean", StringComparison.Ordinal)
            || name == "run.latents";
    }

    [Fact]
    public async Task RunAsync_WithoutPromptsBesideIt_ListsTheTextPartsAsLeftOut()
    {
        ReferenceReport report = await Check(_miniature.Atelier.Model.Package, Rewrite((_, _) => { }));
        Assert.Equal(AllParts[4..], report.Parts.Select(part => part.Name));
        Assert.Equal(["Token ids", "CLIP-L hidden", "CLIP-G hidden", "CLIP-G pooled"], report.LeftOut.Select(part => part.Split(':')[0]));
        Assert.True(report.Passed);
    }

    [Fact]
    public async Task RunAsync_OfTheOneCaseScheme_FindsItsNames()
    {
        GoldenFile golden = GoldenFiles.Miniature;
        var renamed = new Dictionary<string, (int[] Shape, float[] Values)>();
        foreach (string name in (string[])["timestep", "context", "pooled", "time_ids", "noise"])
            renamed[$"unet.{name}"] = (golden.Shape($"unet.sq.{name}"), golden.Floats($"unet.sq.{name}"));
        renamed["unet.sample"] = (golden.Shape("unet.sq.x"), golden.Floats("unet.sq.x"));
        renamed["vae.latent"] = (golden.Shape("vae.sq.latent"), golden.Floats("vae.sq.latent"));
        renamed["vae.image"] = (golden.Shape("vae.sq.image"), golden.Floats("vae.sq.image"));
        int[][] idsL = golden.Rows("tokens_l"), idsG = golden.Rows("tokens_g_pad0");
        Stack("text.ids_l", [2, 77], i => [.. idsL[i].Select(id => (float)id)]);
        Stack("text.ids_g", [2, 77], i => [.. idsG[i].Select(id => (float)id)]);
        Stack("text.hidden_l", [2, .. golden.Shape("text.0.hidden_l")[1..]], i => golden.Floats($"text.{i}.hidden_l"));
        Stack("text.hidden_g", [2, .. golden.Shape("text.0.hidden_g.pad_0")[1..]], i => golden.Floats($"text.{i}.hidden_g.pad_0"));
        Stack("text.pooled", [2, .. golden.Shape("text.0.pooled.pad_0")[1..]], i => golden.Floats($"text.{i}.pooled.pad_0"));

        ReferenceReport report = await Check(_miniature.Atelier.Model.Package, Write(renamed));
        Assert.Equal(
            ["CLIP-L hidden", "CLIP-G hidden", "CLIP-G pooled", "UNet 128x128", "VAE decode 128x128"],
            report.Parts.Select(part => part.Name));
        Assert.All(report.Parts, part => Assert.True(part.Passed, part.ToString()));
        Assert.Equal(["Token ids", "VAE encode", "Run"], report.LeftOut.Select(part => part.Split(':')[0]));

        void Stack(string name, int[] shape, Func<int, float[]> row) => renamed[name] = (shape, [.. row(0), .. row(1)]);
    }

    [Fact]
    public async Task RunAsync_OfAnotherModelsValues_NamesTheTensor()
    {
        var context = new Dictionary<string, (int[] Shape, float[] Values)>();
        foreach (string name in GoldenFiles.Miniature.Names.Where(name => name.StartsWith("unet.sq.", StringComparison.Ordinal)))
            context[name] = (GoldenFiles.Miniature.Shape(name), GoldenFiles.Miniature.Floats(name));
        context["unet.sq.context"] = ([2, 77, 192], new float[2 * 77 * 192]);
        ReferenceShapeException exception = await Assert.ThrowsAsync<ReferenceShapeException>(() =>
            Check(_miniature.Atelier.Model.Package, Write(context)));
        Assert.Equal("unet.sq.context", exception.Name);
        Assert.Contains("[2, 77, 192]; expected [2, 77, 128]", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_OfAFileWithoutReferenceValues_DoesNotPass()
    {
        ReferenceReport report = await Check(_miniature.Atelier.Model.Package, TestAtelier.Checkpoint);
        Assert.Empty(report.Parts);
        Assert.False(report.Passed);
        Assert.Equal(8, report.LeftOut.Count);
    }

    [Fact]
    public async Task RunAsync_OfUnusableNotes_ThrowsNotesException()
    {
        string path = Rewrite((_, _) => { });
        File.WriteAllText(Path.ChangeExtension(path, ".json"), "{\"prompts\": [\"a\"], \"tokens_l\": [[1]], \"tokens_g_pad0\": [[1]]}");
        await Assert.ThrowsAsync<ReferenceNotesException>(() => Check(_miniature.Atelier.Model.Package, path));
    }

    [Fact]
    public async Task RunAsync_OfTheCudaLowering_IsWithinWhatHalfPrecisionCosts()
    {
        CudaPackageOnProcessor.Export(TestAtelier.Checkpoint, _folder["cuda"]);
        ReferenceReport report = await Check(_folder["cuda"], GoldenFiles.Miniature.Path);
        AllowedErrors allowed = AllowedErrors.For(Lowering.Cuda);
        Assert.Equal(AllParts, report.Parts.Select(part => part.Name));
        Assert.All(report.Parts, part => Assert.True(
            part.RelativeError <= part.Name.Split(' ')[0] switch
            {
                "Token" => 0,
                "CLIP-L" or "CLIP-G" => allowed.Text,
                "UNet" => allowed.UNet,
                "VAE" => allowed.Vae,
                "Latents" => allowed.Run,
                _ => allowed.Picture,
            },
            part.ToString()));
        Assert.True(report.Parts[^1].Psnr >= allowed.Psnr);
    }

    private static Task<ReferenceReport> Check(string model, string reference) =>
        ReferenceCheck.RunAsync(model, reference, TestAtelier.Options, cancellationToken: TestContext.Current.CancellationToken);

    private string Rewrite(Action<string, float[]> change)
    {
        var tensors = new Dictionary<string, (int[] Shape, float[] Values)>();
        foreach (string name in GoldenFiles.Miniature.Names.Where(name => !name.EndsWith("_u8", StringComparison.Ordinal)))
        {
            float[] values = GoldenFiles.Miniature.Floats(name);
            change(name, values);
            tensors[name] = (GoldenFiles.Miniature.Shape(name), values);
        }

        return Write(tensors);
    }

    private string Write(Dictionary<string, (int[] Shape, float[] Values)> tensors)
    {
        string path = _folder["reference.safetensors"];
        SafetensorsDeclaration[] declarations =
            [.. tensors.Select(tensor =>
                new SafetensorsDeclaration(tensor.Key, ElementType.F32, [.. tensor.Value.Shape.Select(size => (long)size)]))];
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, declarations, null);
        foreach ((_, float[] values) in tensors.Values) writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));
        writer.Complete();
        return path;
    }
}

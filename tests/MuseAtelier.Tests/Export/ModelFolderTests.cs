using System.Text;
using System.Text.Json;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Cli;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Export;

/// <summary>Models in several files: folders in diffusers' layout, and folders with each part in a file of its own.</summary>
public sealed class ModelFolderTests(TestAtelier miniature) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Export_OfADiffusersFolder_GivesTheFilesOfTheSingleFile()
    {
        SplitModel.WriteDiffusers(_folder["mini.v1"]);
        PackageManifest found = Export(_folder["mini.v1"]);
        AssertIsTheMiniature(found);
        Assert.Equal("mini.v1", found.Checkpoint.Name);
        Assert.Equal(Listing(_folder["mini.v1"], [.. SplitModel.Parts().Keys.Select(SplitModel.FileOf)]), found.Checkpoint.Sha256);
    }

    [Fact]
    public void Export_OfShardsAndVariants_GivesTheFilesOfTheSingleFile()
    {
        SplitModel.WriteDiffusers(_folder["m"], ".fp16");
        File.Delete(_folder["m/unet/diffusion_pytorch_model.fp16.safetensors"]);
        SplitModel.WriteShards(_folder["m"], "unet", SplitModel.Parts()["unet"], 3);
        AssertIsTheMiniature(Export(_folder["m"]));
    }

    [Fact]
    public void Export_OfAFolderWithThePartsByThemselves_GivesTheFilesOfTheSingleFile()
    {
        Directory.CreateDirectory(_folder["m"]);
        RawCheckpoint whole = RawCheckpoint.Miniature();
        Part("UNet of a friend.safetensors", "model.diffusion_model.", "model.diffusion_model.");
        SplitModel.Parts()["text_encoder"].Write(_folder["m/a.safetensors"]);
        SplitModel.Parts()["text_encoder_2"].Write(_folder["m/b.safetensors"]);
        Part("vae.safetensors", "first_stage_model.", "");
        AssertIsTheMiniature(Export(_folder["m"]));

        void Part(string file, string prefix, string newPrefix)
        {
            var part = new RawCheckpoint();
            foreach ((string name, RawCheckpoint.Tensor tensor) in whole.Tensors)
                if (name.StartsWith(prefix, StringComparison.Ordinal)) part.Tensors[newPrefix + name[prefix.Length..]] = tensor;
            part.Write(_folder["m/" + file]);
        }
    }

    [Fact]
    public void Find_OfTwoEditions_TakesTheOneThatDiffusersLoads()
    {
        SplitModel.WriteDiffusers(_folder["m"]);
        Touch("unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.bin", "vae/diffusion_pytorch_model.bin");
        File.Move(_folder["m/vae/diffusion_pytorch_model.safetensors"], _folder["m/vae/diffusion_pytorch_model.fp16.safetensors"]);
        File.Move(_folder["m/text_encoder/model.safetensors"], _folder["m/text_encoder/pytorch_model.bin"]);
        string[] expected =
        [
            "text_encoder/pytorch_model.bin",
            "text_encoder_2/model.safetensors",
            "unet/diffusion_pytorch_model.safetensors",
            "vae/diffusion_pytorch_model.fp16.safetensors",
        ];
        Assert.Equal(expected, ModelFolder.Of(_folder["m"]).Files.Select(file => file.Name));

        void Touch(params string[] names)
        {
            foreach (string name in names) File.WriteAllText(_folder["m/" + name], "");
        }
    }

    [Theory]
    [InlineData("""{"prediction_type": "epsilon"}""", PredictionType.Epsilon, false)]
    [InlineData("""{"prediction_type": "v_prediction"}""", PredictionType.Velocity, false)]
    [InlineData("""{"prediction_type": "v_prediction", "rescale_betas_zero_snr": true}""", PredictionType.Velocity, true)]
    [InlineData("""{"prediction_type": "sample"}""", PredictionType.Sample, false)]
    [InlineData("""{"_class_name": "EDMEulerScheduler", "prediction_type": "epsilon"}""", PredictionType.Edm, false)]
    [InlineData(
        """{"_class_name": "EDMEulerScheduler", "prediction_type": "v_prediction", "sigma_max": 100}""", PredictionType.VelocityEdm, false)]
    public void Find_OfAScheduler_TellsThePrediction(string scheduler, object expected, bool hasZeroSnr)
    {
        SplitModel.WriteDescriptions(_folder["m"], scheduler);
        PredictionMark? mark = PredictionMarks.FindBeside(_folder["m"]);
        Assert.Equal(expected, mark?.Type ?? PredictionType.Epsilon);
        Assert.Equal(hasZeroSnr, mark?.ZeroTerminalSnr == true);
        if (mark is not null) Assert.StartsWith("scheduler/scheduler_config.json says ", mark.Text, StringComparison.Ordinal);
        Assert.Equal(mark?.Type == PredictionType.VelocityEdm ? new SigmaRange(0.002f, 100) : null, mark?.Sigmas);
    }

    // Such texts are JSON, and cannot be read.
    [Theory]
    [InlineData("model_index.json", "{\"_class_name\": \"StableDiffusionXL\\ud83c\"}")]
    [InlineData("scheduler/scheduler_config.json", "{\"prediction_type\": \"\\udc00\"}")]
    [InlineData("scheduler/scheduler_config.json", "{\"\\ud83c\": \"epsilon\"}")]
    [InlineData("scheduler/scheduler_config.json", "{\"prediction_type\": \"\u00ff\"}")]
    public void Find_OfATextWithHalfACharacter_IsRefused(string file, string json)
    {
        SplitModel.WriteDescriptions(_folder["m"]);
        File.WriteAllBytes(_folder["m/" + file], Encoding.Latin1.GetBytes(json));
        ModelFolderException refused = Assert.Throws<ModelFolderException>(() =>
        {
            PredictionMarks.FindBeside(_folder["m"]);
            ModelFolder.Of(_folder["m"]);
        });
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_AfterAChangeOfAnyFile_IsAnotherIdentity()
    {
        SplitModel.WriteDiffusers(_folder["m"]);
        CheckpointIdentity before = CheckpointIdentity.Of(_folder["m"]);
        Assert.Equal(before, CheckpointIdentity.Of(_folder["m"]));
        foreach (string file in (string[])["scheduler/scheduler_config.json", .. SplitModel.Parts().Keys.Select(SplitModel.FileOf)])
        {
            DateTime time = File.GetLastWriteTimeUtc(_folder["m/" + file]);
            byte[] content = File.ReadAllBytes(_folder["m/" + file]);
            content[^2] ^= 1;
            File.WriteAllBytes(_folder["m/" + file], content);
            File.SetLastWriteTimeUtc(_folder["m/" + file], time);
            CheckpointIdentity after = CheckpointIdentity.Of(_folder["m"]);
            Assert.NotEqual(before, after);
            before = after;
        }
    }

    [Theory]
    [InlineData("../../secret.safetensors")]
    [InlineData("..\\secret.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/part.safetensors")]
    [InlineData("C:part.safetensors")]
    [InlineData(".hidden.safetensors")]
    [InlineData("")]
    public void Of_AnIndexThatLeadsElsewhere_IsRefused(string name)
    {
        SplitModel.WriteDescriptions(_folder["m"]);
        Directory.CreateDirectory(_folder["m/unet"]);
        SplitModel.WriteIndex(_folder["m"], "unet", new Dictionary<string, string> { ["conv_in.weight"] = name });
        ModelFolderException refusal = Assert.Throws<ModelFolderException>(() => CheckpointFile.Open(_folder["m"]));
        Assert.Contains("not the name of a file beside it", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfAnIncompleteFolder_NamesWhatIsMissing()
    {
        SplitModel.WriteDiffusers(_folder["m"]);
        File.Delete(_folder["m/text_encoder_2/model.safetensors"]);
        MissingPartException missing = Assert.Throws<MissingPartException>(() => CheckpointFile.Open(_folder["m"]));
        Assert.Equal(["CLIP-G"], missing.Missing);
        SplitModel.Parts()["text_encoder_2"].Write(_folder["m/text_encoder_2/model.safetensors"]);

        SplitModel.WriteShards(_folder["m"], "vae", SplitModel.Parts()["vae"], 2);
        File.Delete(_folder["m/vae/diffusion_pytorch_model.safetensors"]);
        CheckpointFile.Open(_folder["m"]).Dispose();
        string shard = _folder["m/vae/diffusion_pytorch_model-00002-of-00002.safetensors"];
        var other = new RawCheckpoint();
        other.SetSingles("decoder.conv_in.bias.other", [0], 1);
        other.Write(shard);
        AssertRefused("has no tensor", "index.json says so");
        File.Delete(shard);
        AssertRefused("00002-of-00002.safetensors is missing");
    }

    [Fact]
    public void Open_OfAnotherFolder_NamesTheFault()
    {
        Directory.CreateDirectory(_folder["m"]);
        Assert.Throws<CheckpointFolderException>(() => CheckpointFile.Open(_folder["m"]));
        File.WriteAllText(_folder["m/model_index.json"], """{"_class_name": "FluxPipeline"}""");
        AssertRefused("FluxPipeline");
        File.WriteAllText(_folder["m/model_index.json"], "[1]");
        AssertRefused("model_index.json", "no JSON object");
        File.Delete(_folder["m/model_index.json"]);

        SplitModel.Parts()["unet"].Write(_folder["m/one.safetensors"]);
        Assert.Equal(["CLIP-L", "CLIP-G", "VAE"], Assert.Throws<MissingPartException>(() => CheckpointFile.Open(_folder["m"])).Missing);
        File.Copy(_folder["m/one.safetensors"], _folder["m/two.safetensors"]);
        AssertRefused("one.safetensors and two.safetensors", "both hold a UNet");
        var other = new RawCheckpoint();
        other.SetSingles("lora_unet_x.lora_up.weight", [0], 1);
        other.Write(_folder["m/two.safetensors"]);
        AssertRefused("two.safetensors", "no part of an SDXL model");
    }

    [Fact]
    public async Task Info_OfAFolder_DescribesTheModel()
    {
        SplitModel.WriteDiffusers(_folder["m"]);
        SplitModel.WriteDescriptions(_folder["m"], """{"prediction_type": "v_prediction"}""");
        MuseResult result = await Muse.RunAsync("info", _folder["m"], "--json");
        Assert.Equal("", result.Error);
        using JsonDocument facts = JsonDocument.Parse(result.Out);
        Assert.Equal("SdxlVelocity", facts.RootElement.GetProperty("holds").GetString());
        Assert.Equal(4, facts.RootElement.GetProperty("files").GetArrayLength());
    }

    private void AssertRefused(params string[] words)
    {
        ModelFolderException refusal = Assert.Throws<ModelFolderException>(() => CheckpointFile.Open(_folder["m"]));
        Assert.All(words, word => Assert.Contains(word, refusal.Message, StringComparison.Ordinal));
    }

    private PackageManifest Export(string model)
    {
        CheckpointExporter.Export(model, _folder["package"], new ExportOptions(), cancellationToken: Cancellation);
        return PackageManifest.Read(_folder["package"]);
    }

    private void AssertIsTheMiniature(PackageManifest found)
    {
        PackageManifest expected = PackageManifest.Read(miniature.Atelier.Model.Package);
        Assert.Equal(expected.Files, found.Files);
        Assert.Equal(expected.Model.Prediction, found.Model.Prediction);
    }

    // What sha256sum of the files, piped into sha256sum, gives.
    private static string Listing(string folder, string[] files)
    {
        Array.Sort(files, StringComparer.Ordinal);
        string[] lines = [.. files.Select(file => $"{Sha256.Hash(File.ReadAllBytes(Path.Combine(folder, file)))}  {file}\n")];
        return Sha256.Hash(Encoding.UTF8.GetBytes(string.Concat(lines)));
    }
}

using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Pictures;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>A request's prediction, and the marks of a model's file, through whole pictures.</summary>
public sealed class ModelPredictionTests(NarrowAtelier narrow) : IDisposable
{
    private static readonly PictureRequest Request = TestAtelier.Small with { Sampler = SamplerName.Euler, Steps = 2 };

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    // A file that predicts velocity without more is compared below.
    [Theory]
    [InlineData(ModelPrediction.VelocityZeroSnr, "v_pred", "ztsnr")]
    [InlineData(ModelPrediction.Edm, "edm_mean", "edm_std")]
    [InlineData(ModelPrediction.VelocityEdm, "edm_vpred.sigma_max")]
    public async Task GenerateAsync_OfARequestThatStatesIt_PaintsAsAMarkedFile(ModelPrediction prediction, params string[] marks)
    {
        RawCheckpoint raw = RawCheckpoint.Narrow();
        foreach (string mark in marks) raw.Set(mark, "F32", [0], []);
        await using Atelier atelier = await OpenAsync(raw.Write(_folder["marked.safetensors"]));
        Picture marked = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
        Picture stated = await narrow.ReferenceAsync(Request with { Prediction = prediction });
        Assert.Equal(stated.Provenance.StepHashes, marked.Provenance.StepHashes);
        Assert.Equal(stated.Pixels.Span, marked.Pixels.Span);
        string reason = $"the model's file says so: it has a tensor '{marks[0]}'";
        Assert.Equal(new UsedPrediction(prediction, reason), marked.Provenance.Prediction);
        Assert.Equal(new UsedPrediction(prediction, "the request says so"), stated.Provenance.Prediction);
        // The notice about an unmarked model is for those that are taken to predict noise.
        Assert.Empty(stated.Notices);

        Picture epsilon = await atelier.GenerateAsync(
            Request with { Prediction = ModelPrediction.Epsilon }, cancellationToken: Cancellation);
        Picture plain = await narrow.ReferenceAsync(Request);
        Assert.Equal(plain.Provenance.StepHashes, epsilon.Provenance.StepHashes);
        // Playground's latents are decoded in their own scale, whatever the request takes the UNet to predict.
        if (prediction != ModelPrediction.Edm) Assert.Equal(plain.Pixels.Span, epsilon.Pixels.Span);
        Assert.Equal(new UsedPrediction(ModelPrediction.Epsilon, "the model's file has no mark of another"), plain.Provenance.Prediction);
    }

    [Theory]
    [InlineData(ModelPrediction.Edm, 80, 0.5)]
    [InlineData(ModelPrediction.VelocityEdm, 120, 1)]
    public async Task GenerateAsync_OfOneStepOfEdm_IsTheFormula(ModelPrediction prediction, double s, double data)
    {
        PictureRequest request = Request with { Steps = 1, GuidanceScale = 1, Prediction = prediction };
        Picture picture = await narrow.Atelier.GenerateAsync(request, cancellationToken: Cancellation);
        using OpenedModel model = OpenedModel.Open(narrow.Atelier.Model.Package, TestAtelier.Options, null, Cancellation);
        using var prompts = new TextConditioner(model.Package, model.Sessions, model.Device);
        PromptChunks chunks = RequestPrompts.Of(request).Sets[0].Parts[0];
        PromptEmbeds embedding = prompts.Encode(chunks, model.Options, Cancellation);
        float[] noise = new float[4 * 32 * 32];
        new TorchCpuNoise(request.Seed).Fill(noise);
        double variance = s * s + data * data;
        double[] x = [.. noise.Select(value => value * Math.Sqrt(s * s + 1))];
        float[] input = [.. x.Select(value => (float)(value / Math.Sqrt(variance)))];
        float timestep = (float)(0.25 * Math.Log(s));
        float[] output = model.Predict([embedding], [256, 256, 0, 0, 256, 256], timestep, 32, 32, input.CopyTo).ToArray();
        int sign = prediction == ModelPrediction.Edm ? 1 : -1;
        float[] latents = picture.Latents.ToArray();
        for (int i = 0; i < latents.Length; i++)
        {
            double expected = x[i] * data * data / variance + sign * output[i] * s * data / Math.Sqrt(variance);
            Assert.Equal(expected, latents[i], 1e-5);
        }

        // Playground's latents are decoded from vae = z * deviation / 0.5 + mean.
        var format = LatentFormat.Of(model.Model, PredictionChoice.Of(model.Model, prediction).Type);
        Assert.Equal(prediction == ModelPrediction.Edm, format is not null);
        float[] source = format?.ToSdxl(latents) ?? latents;
        VaeOutput decoded = model.Decoder.Decode(source, 32, 32, tiled: false, frame: null, model.Options, Cancellation);
        using MemoryOwner<byte> pixels = decoded.Pixels;
        Assert.Equal(pixels.Span, picture.Pixels.Span);
    }

    [Fact]
    public void ToSdxl_OfPlaygroundsLatents_IsComfysProcessOut()
    {
        double[] means = [-1.6574, 1.886, -1.383, 2.5155], deviations = [8.4927, 5.9022, 6.5498, 5.2299];
        ModelSpec model = TrainedScheduleTests.Spec(PredictionType.Edm, zeroTerminalSnr: false) with { LatentScale = 0.13025f };
        float[] latents = [.. Enumerable.Range(0, 20).Select(i => (float)Math.Sin(i))];
        float[] converted = LatentFormat.Of(model, PredictionType.Edm)!.ToSdxl(latents);
        for (int i = 0; i < latents.Length; i++)
        {
            double vae = latents[i] * deviations[i / 5] / 0.5 + means[i / 5];
            Assert.Equal(vae * 0.13025, converted[i], 1e-6);
        }

        // The file's latents keep their scale if a request takes its UNet to predict something else.
        Assert.NotNull(LatentFormat.Of(model, PredictionType.Velocity));
        ModelSpec other = TrainedScheduleTests.Spec(PredictionType.Epsilon, zeroTerminalSnr: false);
        Assert.Null(LatentFormat.Of(other, PredictionType.VelocityEdm));
        Assert.NotNull(LatentFormat.Of(other, PredictionType.Edm));
    }

    [Fact]
    public async Task GenerateAsync_OfEdmWithPreviews_ShowsTheDecodedScale()
    {
        await using Atelier atelier = await narrow.OpenAsync(TestAtelier.Options with { Previews = true });
        byte[] preview = [];
        Picture picture = await atelier.GenerateAsync(
            Request with { Prediction = ModelPrediction.Edm },
            new Reporter(report =>
            {
                if (report.Preview is { } shown) preview = shown.Pixels.ToArray();
            }),
            Cancellation);
        ModelSpec model = PackageManifest.Read(atelier.Model.Package).Model;
        float[] converted = LatentFormat.Of(model, PredictionType.Edm)!.ToSdxl(picture.Latents.Span);
        byte[] expected = new byte[32 * 32 * 3];
        LatentPreviewer.Paint(converted, 32, expected, 32 * 3, LatentColours.Miniature);
        // The last preview shows the clean latents of the last step, which the picture's latents are.
        int differing = expected.Zip(preview).Count(pair => Math.Abs(pair.First - pair.Second) > 1);
        Assert.Equal(0, differing);
    }

    [Fact]
    public async Task OpenAsync_OfAYamlFileThatComesAndGoes_ExportsAnew()
    {
        string path = RawCheckpoint.Narrow().Write(_folder["beside.safetensors"]);
        string unmarked = await PackageOf(path);
        Assert.Equal(PredictionType.Epsilon, PackageManifest.Read(unmarked).Model.Prediction);
        File.WriteAllText(_folder["beside.yaml"], "model:\n  params:\n    parameterization: \"v\"\n");
        await using (Atelier atelier = await OpenAsync(path))
        {
            Picture velocity = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
            Assert.Equal(ModelPrediction.Velocity, velocity.Provenance.Prediction!.Used);
            Assert.Contains("beside.yaml beside it says parameterization", velocity.Provenance.Prediction.Reason, StringComparison.Ordinal);
            Assert.DoesNotContain(_folder[""], velocity.Provenance.Prediction.Reason, StringComparison.Ordinal);
            Picture stated = await narrow.ReferenceAsync(Request with { Prediction = ModelPrediction.Velocity });
            Assert.Equal(stated.Provenance.StepHashes, velocity.Provenance.StepHashes);
            Assert.Equal(stated.Pixels.Span, velocity.Pixels.Span);
            Assert.NotEqual(unmarked, atelier.Model.Package);
        }

        Assert.Equal(2, Directory.GetDirectories(_folder["cache"]).Length);

        // A file that says nothing, and the file's removal, lead back to the first package.
        File.WriteAllText(_folder["beside.yaml"], "title: nothing about it\n");
        Assert.Equal(unmarked, await PackageOf(path));
        File.Delete(_folder["beside.yaml"]);
        Assert.Equal(unmarked, await PackageOf(path));
        Assert.Equal(2, Directory.GetDirectories(_folder["cache"]).Length);
    }

    [Fact]
    public async Task Parse_OfARecord_StatesThePrediction()
    {
        Picture picture = await narrow.ReferenceAsync(Request with { Prediction = ModelPrediction.VelocityZeroSnr });
        var record = PictureRecord.Of(picture, new RecordedEncoding(PictureFormat.Png));
        string json = record.ToJson();
        const string member = ",\"prediction\":{\"used\":\"velocity_zero_snr\",\"reason\":\"the request says so\"}";
        Assert.Contains(member, json, StringComparison.Ordinal);
        PictureRecord read = PictureRecord.Parse("x.png", json);
        Assert.Equal(picture.Provenance.Prediction, read.Model.Prediction);
        Assert.Equal(ModelPrediction.VelocityZeroSnr, read.Request.Prediction);

        // Records of older versions do not state it.
        Assert.Null(PictureRecord.Parse("x.png", json.Replace(member, "", StringComparison.Ordinal)).Model.Prediction);
        foreach (string damaged in (string[])["automatic", "teleport"])
        {
            string other = json.Replace("{\"used\":\"velocity_zero_snr\"", $"{{\"used\":\"{damaged}\"", StringComparison.Ordinal);
            Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("x.png", other));
        }

        string lines = json.Replace("\"the request says so\"", "\"the\\nrequest\"", StringComparison.Ordinal);
        Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("x.png", lines));
    }

    private Task<Atelier> OpenAsync(string checkpoint) =>
        Atelier.OpenAsync(checkpoint, TestAtelier.Options with { CacheFolder = _folder["cache"] }, cancellationToken: Cancellation);

    private async Task<string> PackageOf(string checkpoint)
    {
        await using Atelier atelier = await OpenAsync(checkpoint);
        return atelier.Model.Package;
    }

    private sealed class Reporter(Action<GenerationProgress> report) : IProgress<GenerationProgress>
    {
        public void Report(GenerationProgress value) => report(value);
    }
}

using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Sampling;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>A model that predicts velocity, and says so nowhere, is noticed by its first step.</summary>
public sealed class PredictionResemblanceTests(TestAtelier miniature, ITestOutputHelper output) : IDisposable
{
    private const string Last = "model.diffusion_model.out.2.weight";

    private readonly TemporaryFolder _folder = new();

    // One step at the highest noise level.
    private static readonly PictureRequest OneStep =
        TestAtelier.Small with { Steps = 1, Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Trailing } };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    // Whatever predicts noise also tells velocity, v = sqrt(1 + s^2) noise - s x, with the scaled input x: both are measured on the same
    // network.
    [Theory]
    [InlineData("a starry night over a quiet city, oil painting", 32, 32)]
    [InlineData("", 32, 32)]
    [InlineData("a lighthouse", 32, 64)]
    public void Measure_OfTheMiniature_LiesFarFromTheThresholdOnBothSides(string prompt, int height, int width)
    {
        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Cancellation);
        using var prompts = new TextConditioner(model.Package, model.Sessions, model.Device);
        PromptEmbeds embedding = prompts.Encode(PreparedPrompt.Of(prompt, "prompt").Chunks, model.Options, Cancellation);
        float[] input = new float[4 * height * width];
        foreach (int steps in (int[])[5, 20, 1000])
        {
            var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), steps);
            float sigma = schedule.Sigmas[0];
            Assert.True(sigma >= PredictionResemblance.LeastSigma, $"{steps} steps begin at {sigma}");
            new TorchCpuNoise((ulong)steps).Fill(input);
            float[] noise = model.Predict(
                [embedding], [height * 8, width * 8, 0, 0, height * 8, width * 8], schedule.Timesteps[0], height, width, input.CopyTo)
                    .ToArray();
            float[] velocity = [.. noise.Select((value, i) => MathF.Sqrt(1 + sigma * sigma) * value - sigma * input[i])];
            float ofNoise = PredictionResemblance.Measure(input, noise), ofVelocity = PredictionResemblance.Measure(input, velocity);
            output.WriteLine(FormattableString.Invariant(
                $"'{prompt}' {height}x{width} sigma {sigma:F2}: noise {ofNoise:F3}, velocity {ofVelocity:F3}"));
            Assert.InRange(ofNoise, 0.95f, 1.001f);
            Assert.InRange(ofVelocity, -1, 0.6f);
        }
    }

    [Fact]
    public async Task GenerateAsync_OfAModelThatPredictsNoise_NoticesNothing()
    {
        Assert.Empty((await miniature.Atelier.GenerateAsync(OneStep, cancellationToken: Cancellation)).Notices);
        Assert.Empty((await miniature.Atelier.GenerateAsync(OneStep with { GuidanceScale = 1 }, cancellationToken: Cancellation)).Notices);
    }

    [Fact]
    public async Task GenerateAsync_OfAPredictionUnlikeTheNoise_GivesANotice()
    {
        // The noise of other channels, which has nothing in common with that of its own.
        RawCheckpoint raw = RawCheckpoint.Miniature();
        float[] weights = raw.Floats(Last);
        raw.SetHalves(Last, [.. weights[(weights.Length / 4)..], .. weights[..(weights.Length / 4)]], raw.Tensors[Last].Shape);
        Picture picture = await Paint(raw, OneStep);
        Assert.Contains("v-prediction", Assert.Single(picture.Notices), StringComparison.Ordinal);
        Assert.Contains("--prediction v ", picture.Notices[0], StringComparison.Ordinal);
        Assert.Contains("correlation", picture.Notices[0], StringComparison.Ordinal);
        output.WriteLine(picture.Notices[0]);

        // Below the least noise level nothing can be told, and nothing is said.
        Assert.Empty((await Paint(raw, OneStep with { Schedule = new NoiseSchedule() })).Notices);
    }

    [Fact]
    public async Task GenerateAsync_OfRandomWeights_GivesANotice()
    {
        using (SafetensorsFile source = SafetensorsFile.Open(TestAtelier.Checkpoint))
            RandomCheckpoint.Write(
                _folder["random.safetensors"], [.. source.Tensors.Values.Select(tensor => KeyValuePair.Create(tensor.Name, tensor.Shape))],
                    cancellationToken: Cancellation);
        await using Atelier atelier = await Atelier.OpenAsync(
            _folder["random.safetensors"], TestAtelier.Options with { CacheFolder = _folder["cache"] },
            cancellationToken: Cancellation);
        Picture picture = await atelier.GenerateAsync(OneStep, cancellationToken: Cancellation);
        output.WriteLine(Assert.Single(picture.Notices));
    }

    [Fact]
    public void Notice_AtTheThreshold_SaysNothingAboveIt()
    {
        Assert.Null(PredictionResemblance.Notice(null));
        Assert.Null(PredictionResemblance.Notice(PredictionResemblance.Least));
        Assert.NotNull(PredictionResemblance.Notice(PredictionResemblance.Least - 0.01f));
        Assert.NotNull(PredictionResemblance.Notice(-1));
    }

    private async Task<Picture> Paint(RawCheckpoint raw, PictureRequest request)
    {
        await using Atelier atelier = await Atelier.OpenAsync(
            raw.Write(_folder["changed.safetensors"]), TestAtelier.Options with { CacheFolder = _folder["cache"] },
            cancellationToken: Cancellation);
        return await atelier.GenerateAsync(request, cancellationToken: Cancellation);
    }
}

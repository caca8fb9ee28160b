using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Imaging;
using MuseAtelier.Pipeline;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Export;

/// <summary>Checkpoints whose UNet reads nine channels: latents, a mask, and the latents of a masked picture.</summary>
public sealed class InpaintingModelTests : IDisposable
{
    private const string Unet = "model.diffusion_model.input_blocks.0.0.";
    private const int Side = 16;
    private const int Taps = 9;

    private static readonly float[] TimeIds = [128, 128, 0, 0, 128, 128];

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    // Extra channels that are the same everywhere, seen by the kernels' middles alone, add a number to each output channel, as a bias does.
    [Fact]
    public void Predict_OfExtraChannels_AddsToTheFirstConvolutionWhatADirectComputationAdds()
    {
        float[] extra = [1, 0.4f, -0.7f, 0.25f, 1.5f];
        RawCheckpoint plain = RawCheckpoint.Miniature(), inpainting = RawCheckpoint.Miniature();
        float[] added = Widen(inpainting, new Random(4), middleOnly: true);
        int outputs = added.Length / extra.Length;
        float[] bias = plain.Floats(Unet + "bias");
        for (int output = 0; output < outputs; output++)
            for (int channel = 0; channel < extra.Length; channel++)
                bias[output] += added[output * extra.Length + channel] * extra[channel];
        plain.SetSingles(Unet + "bias", bias, outputs);
        float[] expected = Predict(plain.Write(_folder["plain.safetensors"]), []);
        float[] found = Predict(inpainting.Write(_folder["inpainting.safetensors"]), extra);
        Assert.True(Likeness.RelativeError(found, expected) < 1e-4);
        float[] other = Predict(_folder["inpainting.safetensors"], [extra[0], extra[2], extra[1], extra[3], extra[4]]);
        Assert.True(Likeness.RelativeError(other, expected) > 1e-3);
    }

    [Fact]
    public async Task GenerateAsync_WithAndWithoutAMask_PaintsAndReadsTheMask()
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        Widen(raw, new Random(5), middleOnly: false);
        string path = raw.Write(_folder["inpainting.safetensors"]);
        Assert.Equal(CheckpointKind.SdxlInpainting, CheckpointKindOf(path));
        await using Atelier atelier = await Atelier.OpenAsync(
            path, TestAtelier.Options with { CacheFolder = _folder["cache"] }, cancellationToken: Cancellation);
        PictureRequest request = TestAtelier.Small with { Steps = 1 };
        Picture nothing = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        Assert.True(nothing.Timings.Encoding > TimeSpan.Zero);
        var source = new PictureSource(Starry.Small) { Strength = 1, Mask = new InpaintMask(Starry.Middle(256)) { PasteBack = false } };
        Picture masked = await atelier.GenerateAsync(request with { Source = source }, cancellationToken: Cancellation);
        Picture again = await atelier.GenerateAsync(request with { Source = source }, cancellationToken: Cancellation);
        Assert.Equal(masked.Pixels.Span, again.Pixels.Span);
        // diffusers does not encode the whole source here, so that the initial noise is that of the seed alone, as without a source.
        Assert.Equal(nothing.Provenance.StepHashes[0], masked.Provenance.StepHashes[0]);
        Assert.NotEqual(nothing.Provenance.StepHashes[1], masked.Provenance.StepHashes[1]);
        Picture whole = await atelier.GenerateAsync(
            request with { Source = source with { Mask = null } }, cancellationToken: Cancellation);
        Assert.False(masked.Pixels.Span.SequenceEqual(whole.Pixels.Span));
    }

    [Theory]
    [InlineData(SamplingDialect.Diffusers, nameof(MaskBlending.None), true)]
    [InlineData(SamplingDialect.A1111, nameof(MaskBlending.Denoised), false)]
    [InlineData(SamplingDialect.Comfy, nameof(MaskBlending.InputAndDenoised), false)]
    public void InputsOf_AnInpaintingModel_AreMaskAndMaskedPicture(SamplingDialect dialect, string blending, bool draws)
    {
        float[] mask = [0, 0.4f, 0.6f, 1], latents = [.. Enumerable.Range(0, 16).Select(i => (float)i)];
        var prepared = new PreparedSource
        {
            Width = 16,
            Height = 16,
            Pixels = new byte[16 * 16 * 3],
            Mask = new byte[16 * 16],
            LatentMask = mask,
            ResultWidth = 16,
            ResultHeight = 16,
            Region = default,
        };
        var encoded = new EncodedSource(prepared, LatentDistribution.Of(latents), LatentDistribution.Of(latents));
        PictureRequest request = new() { Prompt = "", Dialect = dialect, Source = new PictureSource(Starry.Small) { Strength = 0.5f } };
        DenoisingInputs inputs = encoded.InputsOf(request, 16);
        Assert.Equal([0, 0, 1, 1], inputs.ExtraChannels.ToArray());
        Assert.Same(encoded.MaskedPicture, inputs.MaskedPicture);
        Assert.Equal((blending, draws), (inputs.Mask!.Blending.ToString(), inputs.DrawsForMaskedPicture));
        var withoutSource = new EncodedSource(null, null, LatentDistribution.Of(latents));
        DenoisingInputs unmasked = withoutSource.InputsOf(request with { Source = null }, 16);
        Assert.Equal([1, 1, 1, 1], unmasked.ExtraChannels.ToArray());
        Assert.Null(unmasked.Mask);
        Assert.True(unmasked.Start.IsNoiseAlone);
    }

    // Gives the first convolution five more input channels. Returns their middle weights, [outputs, 5].
    private static float[] Widen(RawCheckpoint raw, Random random, bool middleOnly)
    {
        float[] narrow = raw.Floats(Unet + "weight");
        int outputs = narrow.Length / (4 * Taps);
        float[] wide = new float[outputs * 9 * Taps], middle = new float[outputs * 5];
        for (int output = 0; output < outputs; output++)
        {
            narrow.AsSpan(output * 4 * Taps, 4 * Taps).CopyTo(wide.AsSpan(output * 9 * Taps));
            for (int i = 4 * Taps; i < 9 * Taps; i++)
            {
                float weight = (float)(Half)(random.NextSingle() * 0.4f - 0.2f);
                if (middleOnly && i % Taps != Taps / 2) continue;
                wide[output * 9 * Taps + i] = weight;
                if (i % Taps == Taps / 2) middle[output * 5 + i / Taps - 4] = weight;
            }
        }

        raw.SetHalves(Unet + "weight", wide, [outputs, 9, 3, 3]);
        return middle;
    }

    private float[] Predict(string checkpoint, float[] extra)
    {
        using OpenedModel model = OpenedModel.Open(
            checkpoint, TestAtelier.Options with { CacheFolder = _folder["cache"] }, null, Cancellation);
        using var texts = new TextConditioner(model.Package, model.Sessions, model.Device);
        PromptEmbeds row = texts.Encode(PromptChunks.Of(PromptTokenizer.Encode("a lighthouse")), model.Options, Cancellation);
        return model.Predict([row], TimeIds, 500, Side, Side, input =>
        {
            for (int i = 0; i < 4 * Side * Side; i++) input[i] = MathF.Sin(i * 0.37f);
            for (int channel = 0; channel < extra.Length; channel++)
                input.Slice((4 + channel) * Side * Side, Side * Side).Fill(extra[channel]);
        }).ToArray();
    }

    private static CheckpointKind CheckpointKindOf(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return CheckpointInspector.Detect(file);
    }
}

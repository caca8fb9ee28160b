using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Export.Loras;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Loras;

/// <summary>
/// What diffusers computes with a LoRA in fp32, where MUSE_GOLDENS names a folder that has it: both encoders, and one call of the UNet.
/// </summary>
public sealed class LoraGoldenTests(TestAtelier miniature)
{
    private const string Prompt = "a vase of sunflowers, oil painting";
    private const double Allowed = 1e-5;

    private static readonly string? Folder =
        Environment.GetEnvironmentVariable("MUSE_GOLDENS") is { Length: > 0 } folder && Directory.Exists(Path.Combine(folder, "painting"))
            ? Path.Combine(folder, "painting")
            : null;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1f, "lora.1.0")]
    [InlineData(0.6f, "lora.0.6")]
    public void Switch_ToALora_ComputesWhatDiffusersComputes(float strength, string name)
    {
        if (Folder is null) return;
        var golden = new GoldenFile(Path.Combine(Folder, "extras.golden.safetensors"));
        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Cancellation);
        using var file = LoraFile.Open(Path.Combine(Folder, "lora.safetensors"));
        var set = LoraSet.Of(model.Package.Manifest, [new LoraUse(file, strength, strength)]);
        model.Sessions.Switch(new AppliedLoras(model.Package, set), Cancellation);

        using (var encoder = new TextConditioner(model.Package, model.Sessions, model.Device))
        {
            PromptTokens tokens = PromptTokenizer.Encode(Prompt);
            PromptEmbeds embeds = encoder.Encode(
                new PromptChunks(tokens.ClipL.Span, tokens.ClipG.Span), model.Options, Cancellation);
            AssertNear(golden.Floats(name + ".context"), embeds.Hidden);
            AssertNear(golden.Floats(name + ".pooled"), embeds.Pooled);
            encoder.Release();
        }

        AssertNear(golden.Floats(name + ".unet_noise"), Predict(model));
    }

    private static float[] Predict(OpenedModel model)
    {
        GoldenFile inputs = GoldenFiles.Miniature;
        float[] context = inputs.Floats("unet.sq.context"), pooled = inputs.Floats("unet.sq.pooled");
        int half = context.Length / 2, pooledHalf = pooled.Length / 2;
        PromptEmbeds[] rows =
        [
            new PromptEmbeds(77, context[..half], pooled[..pooledHalf]), new PromptEmbeds(77, context[half..], pooled[pooledHalf..]),
        ];
        float[] timeIds = inputs.Floats("unet.sq.time_ids")[..6];
        float timestep = inputs.Floats("unet.sq.timestep")[0];
        return [.. model.Predict(rows, timeIds, timestep, 16, 16, input => inputs.Floats("unet.sq.x").CopyTo(input))];
    }

    private static void AssertNear(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = MadeUpModel.RelativeError([.. expected.Select(value => (double)value)], actual);
        TestContext.Current.TestOutputHelper!.WriteLine($"relative error {error:E2}");
        Assert.InRange(error, 0, Allowed);
    }
}

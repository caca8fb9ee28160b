using System.Globalization;
using System.Text.Json;
using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Conditioning;

/// <summary>The embeddings of weighted prompts.</summary>
public sealed class EmphasisTests(TestAtelier miniature)
{
    private const double Allowed = 1e-5;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Encode_OfTheReferencePrompts_GivesTheirContext()
    {
        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Stop);
        using var conditioner = new TextConditioner(model.Package, model.Sessions, model.Device);
        JsonElement[] samples = [.. GoldenFiles.Prompts.Notes.GetProperty("weighted").EnumerateArray()];
        for (int i = 0; i < samples.Length; i++)
        {
            string key = string.Create(CultureInfo.InvariantCulture, $"weighted.{i}.");
            PromptEmbeds embeds = conditioner.Encode(
                A1111(samples[i].GetProperty("prompt").GetString()!, PromptEmphasis.Original), model.Options, Stop);
            AssertClose(GoldenFiles.Prompts.Floats(key + "context"), embeds.Hidden, key);
            AssertClose(GoldenFiles.Prompts.Floats(key + "pooled"), embeds.Pooled, key);
        }
    }

    [Fact]
    public void Encode_OfEveryEmphasis_FollowsItsFormula()
    {
        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Stop);
        using var conditioner = new TextConditioner(model.Package, model.Sessions, model.Device);
        const string prompt = "a (vase:1.4) of (sunflowers:0.6)";
        PromptChunks scaled = A1111(prompt, PromptEmphasis.NoNorm);
        PromptChunks comfy = PreparedPrompt.Of(prompt, "prompt", new PromptSettings(PromptSyntax.Comfy)).Chunks;
        Assert.Equal(scaled.Weights, comfy.Weights);
        PromptEmbeds plain = Encode(new PromptChunks(scaled.ClipL(0), scaled.ClipG(0)));
        PromptEmbeds empty = Encode(PromptChunks.Empty);
        int width = plain.Hidden.Length / 77;
        float[] byScale = Encode(scaled).Hidden, byComfy = Encode(comfy).Hidden;
        for (int i = 0; i < byScale.Length; i++)
        {
            double weight = scaled.Weights[i / width];
            Assert.Equal(plain.Hidden[i] * weight, byScale[i], 1e-5);
            Assert.Equal(empty.Hidden[i] + (plain.Hidden[i] - empty.Hidden[i]) * weight, byComfy[i], 1e-5);
        }

        Assert.NotEqual(byScale, Encode(A1111(prompt, PromptEmphasis.Original)).Hidden);
        Assert.Equal(plain.Pooled, Encode(comfy).Pooled);

        PromptEmbeds Encode(PromptChunks chunks) => conditioner.Encode(chunks, model.Options, Stop);
    }

    [Fact]
    public void Scale_WithTheMean_RestoresIt()
    {
        float[] hidden = [1, 2, 3, 4, 5, 6];
        TokenWeights.Scale(hidden, [1, 2, 0.5f], restoresMean: true);
        // 1, 2, 6, 8, 2.5, 3 have the sum 22.5 instead of 21.
        Assert.Equal([.. new[] { 1, 2, 6, 8, 2.5, 3 }.Select(value => (float)(value * (21 / 22.5)))], hidden);
        float[] zeros = [1, 2];
        TokenWeights.Scale(zeros, [0, 0], restoresMean: true);
        Assert.Equal([0, 0], zeros);
    }

    private static PromptChunks A1111(string prompt, PromptEmphasis emphasis) =>
        PreparedPrompt.Of(prompt, "prompt", new PromptSettings(PromptSyntax.A1111, emphasis, CommaBacktrack: 0)).Chunks;

    // The largest difference, relative to the largest reference value where that is above 1.
    private static void AssertClose(float[] expected, float[] actual, string name)
    {
        Assert.Equal(expected.Length, actual.Length);
        double scale = Math.Max(1, expected.Max(Math.Abs));
        double worst = expected.Zip(actual, (one, other) => Math.Abs((double)one - other)).Max() / scale;
        Assert.True(worst <= Allowed, $"{name}: {worst}");
    }
}

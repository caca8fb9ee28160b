using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Conditioning;

public sealed class TextConditionerTests(TestAtelier miniature)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Encode_OfTwoChunks_LaysTheirHiddenStatesEndToEnd()
    {
        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Stop);
        using var conditioner = new TextConditioner(model.Package, model.Sessions, model.Device);
        PromptChunks night = PreparedPrompt.Of("a starry night", "prompt").Chunks;
        PromptChunks city = PreparedPrompt.Of("a quiet city", "prompt").Chunks;
        var both = new PromptChunks([.. night.ClipL(0), .. city.ClipL(0)], [.. night.ClipG(0), .. city.ClipG(0)]);

        PromptEmbeds first = conditioner.Encode(night, model.Options, Stop);
        PromptEmbeds second = conditioner.Encode(city, model.Options, Stop);
        PromptEmbeds together = conditioner.Encode(both, model.Options, Stop);

        Assert.Equal((77, 77, 154), (first.Tokens, second.Tokens, together.Tokens));
        Assert.NotEqual(first.Hidden, second.Hidden);
        Assert.Equal([.. first.Hidden, .. second.Hidden], together.Hidden);
        Assert.Equal(first.Pooled, together.Pooled);
        Assert.Equal(154 * model.Model.ClipGWidth, together.Columns(model.Model.ClipLWidth, model.Model.ClipGWidth).Length);
    }

    [Fact]
    public void Encode_OfTheSameTokens_RunsTheEncodersOnce()
    {
        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Stop);
        using var conditioner = new TextConditioner(model.Package, model.Sessions, model.Device);
        PromptEmbeds night = Encode("A starry  Night");
        Assert.Same(night, Encode("a starry night"));
        Assert.NotSame(night, Encode("a starry day"));

        // The last 64 chunks are kept. The 65th, which comes last here, drops the oldest.
        for (int i = 0; i < 63; i++) Encode(FormattableString.Invariant($"number {i}"));
        Assert.NotSame(night, Encode("a starry night"));

        PromptEmbeds Encode(string prompt) => conditioner.Encode(PreparedPrompt.Of(prompt, "prompt").Chunks, model.Options, Stop);
    }

    [Fact]
    public void Encode_OfEqualChunks_RepeatsTheirHiddenStates()
    {
        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Stop);
        using var conditioner = new TextConditioner(model.Package, model.Sessions, model.Device);
        PromptChunks night = PreparedPrompt.Of("a (starry:1.3) night", "prompt").Chunks;
        PromptEmbeds once = conditioner.Encode(night, model.Options, Stop);
        PromptEmbeds empty = conditioner.Encode(PromptChunks.Empty, model.Options, Stop);
        Assert.Equal([.. once.Hidden, .. once.Hidden], conditioner.Encode(night.RepeatTo(2), model.Options, Stop).Hidden);
        Assert.Equal(
            [.. once.Hidden, .. empty.Hidden, .. empty.Hidden], conditioner.Encode(night.PadTo(3), model.Options, Stop).Hidden);

        // The same ids with other weights are another chunk.
        PromptChunks plain = PreparedPrompt.Of("a starry night", "prompt").Chunks;
        var both = new PromptChunks(
            [.. night.ClipL(0), .. plain.ClipL(0)], [.. night.ClipG(0), .. plain.ClipG(0)],
            [.. night.WeightsOf(0), .. plain.WeightsOf(0)], night.Emphasis);
        float[] second = conditioner.Encode(plain, model.Options, Stop).Hidden;
        Assert.Equal([.. once.Hidden, .. second], conditioner.Encode(both, model.Options, Stop).Hidden);
    }

    [Fact]
    public void WriteAndRead_OfAnotherSize_AreRefused()
    {
        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Stop);
        ComponentSpec clipL = model.Package.Manifest.Component(ComponentNames.ClipL);
        using var runner = new ComponentRunner(clipL, new PictureShape(1, 0, 0, 0), model.Sessions, model.Device);
        var exception = Assert.Throws<ArgumentException>(() => runner.Write<long>("ids", new long[76]));
        Assert.Contains("ids has 77 elements, not 76", exception.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => runner.Read<float>("hidden", new float[77 * model.Model.ClipLWidth + 1]));
        runner.Write<long>("ids", new long[77]);
    }
}

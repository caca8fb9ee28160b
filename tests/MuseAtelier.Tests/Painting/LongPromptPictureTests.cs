using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

/// <summary>Pictures of weighted prompts and of prompts that take several chunks.</summary>
public sealed class LongPromptPictureTests(NarrowAtelier narrow)
{
    private static readonly string Long = string.Join(", ", Enumerable.Repeat("swirling stars over a quiet city by the sea", 31));

    private static PictureRequest Request { get; } = TestAtelier.Small with { PromptSyntax = PromptSyntax.A1111 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(PromptSyntax.A1111)]
    [InlineData(PromptSyntax.Comfy)]
    public async Task GenerateAsync_OfMoreThan300Tokens_GivesTheSameBytesInEveryRun(PromptSyntax syntax)
    {
        Assert.InRange(PromptTokenizer.Encode(Long).CutCount + 75, 300, 400);
        PictureRequest request = Request with { Prompt = Long, PromptSyntax = syntax };
        Picture first = await narrow.ReferenceAsync(request);
        Picture again = await Paint(request);
        await using Atelier atelier = await narrow.OpenAsync(TestAtelier.Options);
        Picture elsewhere = await atelier.GenerateAsync(request, cancellationToken: Stop);
        Assert.Equal(first.Pixels.Span, again.Pixels.Span);
        Assert.Equal(first.Pixels.Span, elsewhere.Pixels.Span);
        Assert.Empty(first.Notices);
        Assert.InRange(Likeness.Contrast(first.Pixels.Span), 15, 120);

        // All of the prompt is read: its end changes the picture.
        Picture other = await Paint(request with { Prompt = Long + ", a red cathedral" });
        Assert.NotEqual(first.Pixels.ToArray(), other.Pixels.ToArray());
    }

    [Theory]
    [InlineData(PromptSyntax.A1111)]
    [InlineData(PromptSyntax.Comfy)]
    public async Task GenerateAsync_OfAShortPromptWithoutBrackets_GivesThePlainPromptsBytes(PromptSyntax syntax)
    {
        PictureRequest text = TestAtelier.Small with { PromptSyntax = PromptSyntax.Plain };
        Picture plain = await narrow.ReferenceAsync(text);
        // A long prompt before it leaves no trace.
        await Paint(Request with { Prompt = Long });
        Picture read = await Paint(TestAtelier.Small with { PromptSyntax = syntax });
        Picture after = await Paint(text);
        Assert.Equal(plain.Pixels.Span, read.Pixels.Span);
        Assert.Equal(plain.Pixels.Span, after.Pixels.Span);
    }

    [Fact]
    public async Task GenerateAsync_OfWeights_TellsSyntaxesApart()
    {
        PictureRequest request = Request with { Prompt = "a (starry:1.4) night over a quiet city" };
        Picture a1111 = await Paint(request);
        Picture comfy = await Paint(request with { PromptSyntax = PromptSyntax.Comfy });
        Picture plain = await Paint(request with { PromptSyntax = PromptSyntax.Plain });
        Assert.NotEqual(a1111.Pixels.ToArray(), comfy.Pixels.ToArray());
        Assert.NotEqual(a1111.Pixels.ToArray(), plain.Pixels.ToArray());
        Assert.Empty(a1111.Notices);
        Assert.Empty(comfy.Notices);
        Assert.Single(plain.Notices);
    }

    [Fact]
    public async Task GenerateAsync_OfANegativePromptOfAnotherLength_Paints()
    {
        Picture longNegative = await Paint(Request with { NegativePrompt = Long });
        Picture longPrompt = await Paint(Request with { Prompt = Long, NegativePrompt = "blurry" });
        Picture zeros = await Paint(Request with { Prompt = Long, EmptyNegative = EmptyNegative.Zeros });
        Assert.All([longNegative, longPrompt, zeros], picture => Assert.InRange(Likeness.Contrast(picture.Pixels.Span), 5, 130));
    }

    [Fact]
    public async Task GenerateAsync_OfPromptsThatCannotBeRead_RefusesThemAndPaintsOn()
    {
        string tooLong = string.Join(" BREAK ", Enumerable.Repeat("a", 65));
        foreach (string prompt in (string[])[tooLong, "(a:1.2.3)"])
        {
            await Assert.ThrowsAsync<PromptException>(() => Paint(Request with { Prompt = prompt }));
            await Assert.ThrowsAsync<PromptException>(() => Paint(Request with { NegativePrompt = prompt }));
            Assert.Throws<PromptException>(() => Atelier.Plan(
                NarrowAtelier.Checkpoint, TestAtelier.Options, Request with { Prompt = prompt }));
        }

        await Paint(Request);
    }

    [Fact]
    public void Plan_OfALongPrompt_TakesMoreMemoryAndTime()
    {
        ResidencyPlan one = Plan("a"), six = Plan(Long), most = Plan(string.Join(" BREAK ", Enumerable.Repeat("a", 64)));
        Assert.Equal((1, 6, 64), (one.Request.PromptChunks, six.Request.PromptChunks, most.Request.PromptChunks));
        Assert.True(six.PeakBytes > one.PeakBytes);
        Assert.True(most.PeakBytes > six.PeakBytes);
        Assert.True(six.Estimate.Step > one.Estimate.Step);

        static ResidencyPlan Plan(string prompt) =>
            Atelier.Plan(NarrowAtelier.Checkpoint, TestAtelier.Options, Request with { Prompt = prompt });
    }

    [Fact]
    public void Plan_OfMoreChunksAtFullSize_NeverTakesLess()
    {
        long before = 0;
        double seconds = 0;
        foreach (int chunks in (int[])[1, 2, 4, 16, 64])
        {
            var request = new ResidencyRequest { Budget = 24L << 30, PromptChunks = chunks };
            ResidencyPlan plan = ResidencyPlanner.Plan(FullSizeModel.Portable, request, DeviceProfile.Processor);
            Assert.True(plan.PeakBytes >= before);
            Assert.True(plan.Estimate.Step > seconds);
            before = plan.PeakBytes;
            seconds = plan.Estimate.Step;
        }
    }

    private Task<Picture> Paint(PictureRequest request) => narrow.Atelier.GenerateAsync(request, cancellationToken: Stop);
}

using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

/// <summary>
/// Pictures whose steps differ in their prompts: guided in an interval alone, of prompts with several parts, and of prompts that change.
/// </summary>
public sealed class PromptsOverStepsTests(NarrowAtelier narrow, TestAtelier miniature, PromptsOverStepsTests.Offloading offloading)
    : IClassFixture<PromptsOverStepsTests.Offloading>
{
    private const string Parts = "a starry night over a quiet city AND sunflowers in a vase:0.6";
    private const string Edited = "[a starry night over a quiet city:sunflowers in a vase:0.5]";
    private const string Alternating = "[a starry night over a quiet city|sunflowers in a vase]";

    private static readonly string Long = string.Join(", ", Enumerable.Repeat("swirling stars over a quiet city by the sea", 31));

    private static readonly PictureRequest Request = TestAtelier.Small with { NegativePrompt = "fog", Steps = 5 };

    private static readonly AtelierOptions Options = TestAtelier.Options;

    public static TheoryData<string> Cases => ["late", "parts in an interval", "edited", "all", "long"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task GenerateAsync_InEveryModeAndRun_GivesTheSameBytes(string name)
    {
        PictureRequest request = Of(name);
        Atelier atelier = narrow.Atelier;
        Picture first = await narrow.ReferenceAsync(request);
        Assert.InRange(Likeness.Contrast(first.Pixels.Span), 10, 120);
        // A picture of another row count and other sets between.
        await Paint(atelier, name == "all" ? Request : Of("all") with { Steps = 2 });
        Picture again = await Paint(atelier, request);
        Assert.Equal(first.Provenance.StepHashes, again.Provenance.StepHashes);
        Assert.Equal(first.Pixels.Span, again.Pixels.Span);
        await Allocations.AssertNoneAsync(again, () => Paint(atelier, request));
        Picture streamed = await Paint(offloading.Streaming, request);
        Assert.Equal(first.Pixels.Span, streamed.Pixels.Span);
    }

    // Sessions that rotate are made with fewer optimisations, so that they round otherwise.
    [Fact]
    public async Task GenerateAsync_WithSessionsThatRotate_PaintsTheSamePictureTwice()
    {
        PictureRequest request = Of("all") with { Steps = 3 };
        Picture expected = await narrow.ReferenceAsync(request);
        Picture rotated = await Paint(offloading.Rotating, request);
        Assert.Equal(rotated.Pixels.ToArray(), (await Paint(offloading.Rotating, request)).Pixels.ToArray());
        Assert.True(Likeness.RelativeError(rotated.Latents.Span, expected.Latents.Span) < 1e-3);
    }

    [Fact]
    public async Task GenerateManyAsync_OfThreeAtATime_GivesThePicturesOfTheirSlots()
    {
        PictureRequest request = Of("all") with { Steps = 3 };
        Atelier atelier = narrow.Atelier;
        List<Picture> pictures = [];
        await foreach (Picture picture in atelier.GenerateManyAsync(request, 3, 3, cancellationToken: Cancellation)) pictures.Add(picture);
        Assert.Equal(3, pictures.Count);
        Picture last = pictures[2];
        Picture again = await atelier.GenerateAsync(last.Request, last.Provenance.BatchSlot, cancellationToken: Cancellation);
        Assert.Equal(last.Pixels.Span, again.Pixels.Span);
        Picture alone = await Paint(atelier, last.Request);
        Assert.True(Likeness.RelativeError(last.Latents.Span, alone.Latents.Span) < 1e-3);
    }

    [Fact]
    public async Task GenerateAsync_OfTheWholeIntervalOfNoStepOrOfOneSet_GivesTheBytesOfThePlainRequest()
    {
        Atelier atelier = narrow.Atelier;
        Picture guided = await narrow.ReferenceAsync(Request);
        Picture unguided = await Paint(atelier, Request with { GuidanceScale = 1 });
        Assert.Equal(guided.Pixels.ToArray(), (await Paint(atelier, Request with { GuidanceFrom = 0, GuidanceTo = 1 })).Pixels.ToArray());
        Picture none = await Paint(atelier, Request with { GuidanceFrom = 0.5f, GuidanceTo = 0.5f });
        Assert.Equal(unguided.Pixels.Span, none.Pixels.Span);
        Assert.Equal((false, 0), (none.Memory!.Plan.Request.Guided, none.Memory.Plan.Request.UnguidedSteps));
        Assert.NotEqual(guided.Pixels.ToArray(), (await Paint(atelier, Of("interval"))).Pixels.ToArray());
    }

    // Two parts and the negative prompt have three rows for each picture, of which a batch has at most sixteen.
    [Fact]
    public async Task GenerateAsync_OfPartsInASlotOfATooLargeBatch_IsRefused()
    {
        await using Atelier atelier = await narrow.OpenAsync(Options);
        PromptException exception = await Assert.ThrowsAsync<PromptException>(() =>
            atelier.GenerateAsync(Request with { Prompt = Parts }, new BatchSlot(8, 1), cancellationToken: Cancellation));
        Assert.Contains("at most 5 pictures", exception.Message, StringComparison.Ordinal);
    }

    // A prompt of one part twice with half the weight, and a prompt that changes into itself, mean the prompt itself.
    [Theory]
    [InlineData("{0}:0.5 AND {0}:0.5")]
    [InlineData("[{0}|{0}]")]
    [InlineData("[{0}:{0}:0.4]")]
    public async Task GenerateAsync_OfAPromptThatMeansAnother_PaintsItsPicture(string form)
    {
        Atelier atelier = narrow.Atelier;
        Picture plain = await narrow.ReferenceAsync(Request);
        Picture picture = await Paint(
            atelier, Request with { Prompt = string.Format(System.Globalization.CultureInfo.InvariantCulture, form, Request.Prompt) });
        Assert.True(Likeness.RelativeError(picture.Latents.Span, plain.Latents.Span) < 1e-3);
    }

    [Fact]
    public async Task GenerateAsync_OfAnEditedPrompt_BeginsAsItsFirstPartAndEndsOtherwise()
    {
        Atelier atelier = miniature.Atelier;
        PictureRequest request = Request with { Prompt = "a starry night over a quiet city", Sampler = SamplerName.Euler };
        Picture first = await Paint(atelier, request);
        Picture edited = await Paint(atelier, request with { Prompt = Edited });
        Picture alternating = await Paint(atelier, request with { Prompt = Alternating });
        Assert.True(Likeness.RelativeError(edited.Latents.Span, first.Latents.Span) > 0.05);
        Assert.True(Likeness.RelativeError(alternating.Latents.Span, edited.Latents.Span) > 0.05);
    }

    [Fact]
    public async Task GenerateAsync_CancelledWithinAStep_PaintsTheNextPicture()
    {
        PictureRequest request = Of("all");
        Atelier atelier = narrow.Atelier;
        Picture expected = await narrow.ReferenceAsync(request);
        foreach (int step in (int[])[1, 3])
        {
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var reports = new Reports<GenerationProgress>(report =>
            {
                if (report.Phase == GenerationPhase.Denoising && report.Step == step) cancellation.CancelAfter(2);
            });
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await atelier.GenerateAsync(request with { Steps = 200 }, reports, cancellation.Token);
            });
        }

        Assert.Equal(expected.Pixels.ToArray(), (await Paint(atelier, request)).Pixels.ToArray());
    }

    // Memory that runs out at any allocation leaves nothing behind, and the next picture is right.
    [Fact]
    public async Task GenerateAsync_WithoutMemoryForAnyOfItsParts_GivesEverythingBack()
    {
        PictureRequest request = Of("alternating") with { Steps = 3 };
        var memory = new ShortBackend();
        await using (Atelier atelier = await narrow.OpenAsync(Options with { Backend = memory }))
        {
            Picture expected = await Paint(atelier, request);
            long most = memory.Most;
            int failures = 0;
            foreach (double share in (double[])[0.1, 0.5, 0.97, 0.9999])
            {
                // Another size between, so that the denoiser is made anew.
                memory.Limit = long.MaxValue;
                await Paint(atelier, request with { Width = 264, Steps = 1 });
                memory.Limit = (long)(most * share);
                // A second try with less memory may succeed.
                if (await Record.ExceptionAsync(() => Paint(atelier, request)) is { } exception)
                {
                    Assert.IsType<DeviceMemoryException>(exception);
                    failures++;
                }

                memory.Limit = long.MaxValue;
                Assert.Equal(expected.Pixels.ToArray(), (await Paint(atelier, request)).Pixels.ToArray());
            }

            Assert.True(failures > 1);
        }

        Assert.Equal(0, memory.Taken);
    }

    [Fact]
    public async Task GenerateAsync_OfOneSetAfterSeveral_GivesTheirMemoryBack()
    {
        var memory = new ShortBackend();
        await using Atelier atelier = await narrow.OpenAsync(Options with { Backend = memory });
        await Paint(atelier, Request);
        long one = memory.Taken;
        Picture several = await Paint(atelier, Request with { Prompt = Edited });
        Assert.InRange(memory.Taken - one, 1, several.Memory!.Plan.PromptSetBytes + (1 << 16));
        await Paint(atelier, Request);
        Assert.Equal(one, memory.Taken);
    }

    [Fact]
    public async Task GenerateManyAsync_OfManyParts_TakesSmallerBatches()
    {
        Atelier atelier = narrow.Atelier;
        string prompt = string.Join(" AND ", Enumerable.Range(0, 5).Select(i => $"sunflowers {i}:0.2"));
        PictureRequest request = Request with { Prompt = prompt, Steps = 1 };
        List<BatchSlot> slots = [];
        await foreach (Picture picture in atelier.GenerateManyAsync(request, 3, 3, cancellationToken: Cancellation))
            slots.Add(picture.Provenance.BatchSlot);
        Assert.Equal([new BatchSlot(2, 0), new BatchSlot(2, 1), BatchSlot.Alone], slots);
        await Assert.ThrowsAsync<PromptException>(() =>
            atelier.GenerateAsync(request, new BatchSlot(3, 0), cancellationToken: Cancellation));
    }

    private static PictureRequest Of(string name) => name switch
    {
        "interval" => Request with { GuidanceFrom = 0.2f, GuidanceTo = 0.8f },
        "late" => Request with { GuidanceFrom = 0.6f, Sampler = SamplerName.Heun },
        "parts in an interval" => Request with { Prompt = Parts, GuidanceFrom = 0.2f, GuidanceTo = 0.8f },
        "edited" => Request with { Prompt = Edited },
        "alternating" => Request with { Prompt = Alternating, GuidanceTo = 0.6f },
        "all" => Request with { Prompt = "[a lighthouse|sunflowers in a vase] AND [a cypress|a cathedral]:0.6", GuidanceFrom = 0.4f },
        "long" => Request with { Prompt = Long, GuidanceFrom = 0.4f },
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };

    private static Task<Picture> Paint(Atelier atelier, PictureRequest request) =>
        atelier.GenerateAsync(request, cancellationToken: Cancellation);

    /// <summary>Ateliers that keep weights outside the device, opened once for all tests of the class.</summary>
    public sealed class Offloading(NarrowAtelier narrow) : IAsyncLifetime
    {
        public Atelier Streaming { get; private set; } = null!;

        public Atelier Rotating { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Streaming = await narrow.OpenAsync(Options with { Offload = OffloadMode.Stream });
            Rotating = await narrow.OpenAsync(Options with { Offload = OffloadMode.Rotate });
        }

        public async ValueTask DisposeAsync()
        {
            await Streaming.DisposeAsync();
            await Rotating.DisposeAsync();
        }
    }
}

using MuseAtelier.Format;
using MuseAtelier.Pipeline;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Loras;

/// <summary>Pictures that are painted with LoRAs, on the processor.</summary>
public sealed class LoraPictureTests(NarrowAtelier narrow, LoraFiles files) : IClassFixture<LoraFiles>
{
    private static readonly PictureRequest Request = TestAtelier.Small with { Steps = 2 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_WithALora_DiffersAndNamesItInTheProvenance()
    {
        Picture plain = await narrow.ReferenceAsync(Request);
        var lora = new PictureLora { Path = files.A, Strength = 0.8f, TextStrength = 0.5f };
        Picture picture = await PaintAsync(lora);
        Assert.NotEqual(plain.Pixels.ToArray(), picture.Pixels.ToArray());
        UsedLora used = picture.Provenance.Loras.Single();
        Assert.Equal(("a", DigestOf(files.A), 0.8f, 0.5f), (used.Name, used.Sha256, used.Strength, used.TextStrength));
        await Allocations.AssertNoneAsync(picture, () => PaintAsync(lora));
        // The file changes CLIP-L's last layer too, which has no effect in SDXL.
        Assert.DoesNotContain(picture.Notices, notice => notice.Contains("match no weight", StringComparison.Ordinal));

        // Each strength acts on its own part of the model.
        Picture text = await PaintAsync(lora with { Strength = 0 });
        Assert.NotEqual(plain.Pixels.ToArray(), text.Pixels.ToArray());
        Assert.NotEqual(picture.Pixels.ToArray(), text.Pixels.ToArray());
    }

    [Fact]
    public async Task Generate_AtStrength0_GivesThePictureWithout()
    {
        Picture plain = await narrow.ReferenceAsync(Request);
        Picture picture = await PaintAsync(new PictureLora { Path = files.A, Strength = 0 });
        Assert.Equal(plain.Pixels.ToArray(), picture.Pixels.ToArray());
        Assert.Equal(plain.Provenance.StepHashes, picture.Provenance.StepHashes);
        Assert.Equal(0, picture.Provenance.Loras.Single().TextStrength);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Generate_AfterOtherLoras_EqualsAlone(bool convolutions)
    {
        var first = new PictureLora { Path = convolutions ? files.Convolutions : files.A };
        var second = new PictureLora { Path = files.B };
        Picture plain = await narrow.ReferenceAsync(Request);
        await using Atelier alone = await narrow.OpenAsync(TestAtelier.Options);
        Picture expected = await alone.GenerateAsync(Request with { Loras = [second] }, cancellationToken: Cancellation);

        Picture before = await PaintAsync(first);
        Picture after = await PaintAsync(second);
        Assert.Equal(expected.Pixels.ToArray(), after.Pixels.ToArray());
        Assert.NotEqual(before.Pixels.ToArray(), after.Pixels.ToArray());
        Assert.Equal(plain.Pixels.ToArray(), (await PaintAsync()).Pixels.ToArray());
        Assert.Equal(before.Pixels.ToArray(), (await PaintAsync(first)).Pixels.ToArray());
    }

    [Fact]
    public async Task Generate_WithTwoLoras_AddsThemUp()
    {
        var whole = new PictureLora { Path = files.A };
        Picture expected = await PaintAsync(whole);
        Picture halves = await PaintAsync(whole with { Strength = 0.5f }, whole with { Strength = 0.5f });
        Picture both = await PaintAsync(whole, new PictureLora { Path = files.B });
        // The sums differ in the last bits of fp32.
        Assert.True(Likeness.Psnr(halves.Pixels.Span, expected.Pixels.Span) > 50);
        Assert.True(Likeness.Psnr(both.Pixels.Span, expected.Pixels.Span) < 50);
        Assert.Equal(["a", "a"], halves.Provenance.Loras.Select(lora => lora.Name));
    }

    [Fact]
    public async Task Generate_CancelledWhileWeightsAreMerged_LeavesNothingBehind()
    {
        await using Atelier atelier = await narrow.OpenAsync(TestAtelier.Options);
        PictureRequest request = Request with { Loras = [new PictureLora { Path = files.Convolutions }] };
        for (int i = 0; i < 2; i++)
        {
            using var cancelling = new CancellationTokenSource();
            // The weights are merged when a component first runs, which follows this report.
            var progress = new Reports<GenerationProgress>(report =>
            {
                if (report.Phase == GenerationPhase.Encoding) cancelling.Cancel();
            });
            var options = new GenerationOptions { Progress = progress };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => atelier.GenerateAsync(request, options, cancelling.Token));
        }

        Picture expected = await PaintAsync([.. request.Loras]);
        Picture picture = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        Assert.Equal(expected.Pixels.ToArray(), picture.Pixels.ToArray());
        Picture plain = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
        Assert.Equal((await narrow.ReferenceAsync(Request)).Pixels.ToArray(), plain.Pixels.ToArray());
    }

    [Fact]
    public async Task Generate_InFp16OnAProcessor_MergesInFp16()
    {
        AtelierOptions options = TestAtelier.Options with { Precisions = Precisions.All(Precision.Fp16) };
        await using Atelier atelier = await Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, cancellationToken: Cancellation);
        Picture plain = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
        PictureRequest request = Request with { Loras = [new PictureLora { Path = files.Convolutions }] };
        Picture picture = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        Picture inFp32 = await PaintAsync([.. request.Loras]);
        double likeness = Likeness.Psnr(picture.Pixels.Span, inFp32.Pixels.Span);
        Assert.True(likeness > 25, $"{likeness:F1} dB");
        Assert.True(Likeness.Psnr(plain.Pixels.Span, picture.Pixels.Span) < likeness);
    }

    [Fact]
    public async Task Generate_OfAFileThatWasReplaced_PaintsWithTheNewOne()
    {
        string path = files["replaced.safetensors"];
        File.Copy(files.A, path);
        Picture first = await PaintAsync(new PictureLora { Path = path });
        File.Delete(path);
        File.Copy(files.B, path);
        // A copy has the time of its source, and both files may have been written within the resolution of the file system.
        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(files.A).AddSeconds(10));
        Picture second = await PaintAsync(new PictureLora { Path = path });
        Assert.Equal(DigestOf(files.A), first.Provenance.Loras.Single().Sha256);
        Assert.Equal(DigestOf(files.B), second.Provenance.Loras.Single().Sha256);
        Assert.NotEqual(first.Pixels.ToArray(), second.Pixels.ToArray());
    }

    [Fact]
    public async Task Generate_WithAnotherTextStrengthAlone_MergesTheWeightsAnew()
    {
        Picture without = await PaintAsync(new PictureLora { Path = files.A, TextStrength = 0 });
        Picture with = await PaintAsync(new PictureLora { Path = files.A, TextStrength = 1 });
        Assert.Equal((0f, 1f), (without.Provenance.Loras.Single().TextStrength, with.Provenance.Loras.Single().TextStrength));
        Assert.NotEqual(without.Pixels.ToArray(), with.Pixels.ToArray());
    }

    // A link keeps its own size and time when the file that it leads to is replaced.
    [Fact]
    public void Open_OfALinkWhoseFileWasReplaced_OpensTheNewOne()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An open file cannot be replaced there.");
        string target = files["target.safetensors"], link = files["link.safetensors"];
        File.Copy(files.A, target);
        File.CreateSymbolicLink(link, target);
        using var cache = new LoraFileCache();
        using LoraFileCache.Hold first = cache.Open(new PictureLora { Path = link });
        File.Delete(target);
        File.Copy(files.B, target);
        File.SetLastWriteTimeUtc(target, File.GetLastWriteTimeUtc(files.A).AddSeconds(10));
        using LoraFileCache.Hold second = cache.Open(new PictureLora { Path = link });
        // The digest of the first one is computed only now, and is still that of its own content.
        Assert.Equal((DigestOf(files.A), DigestOf(files.B)), (first.File.Sha256, second.File.Sha256));
        Assert.Equal("link", second.File.Name);
    }

    [Fact]
    public async Task Generate_WithASecondPass_PaintsBothWithTheLora()
    {
        PictureRequest request = Request with { Hires = new HiresPass { Scale = 1.25f, Steps = 1 } };
        Picture plain = await narrow.Second.GenerateAsync(request, cancellationToken: Cancellation);
        Picture picture = await narrow.Second.GenerateAsync(
            request with { Loras = [new PictureLora { Path = files.A }] }, cancellationToken: Cancellation);
        Assert.Equal("a", picture.Provenance.Loras.Single().Name);
        Assert.NotEqual(plain.Pixels.ToArray(), picture.Pixels.ToArray());
    }

    // Of a picture of two passes, the digests of the first pass are those of a picture whose second pass has the same LoRAs, and the
    // start of the second pass as well. Its steps differ.
    [Fact]
    public async Task Generate_WithOtherLorasInTheSecondPass_SwitchesBetweenThePassesAndBackInEveryMode()
    {
        PictureLora[] a = [new PictureLora { Path = files.A }], b = [new PictureLora { Path = files.Convolutions }];
        PictureRequest request = Request with { Steps = 1, Loras = a, Hires = new HiresPass { Scale = 1.25f, Steps = 1 } };
        Picture same = await narrow.Second.GenerateAsync(request, cancellationToken: Cancellation);
        PictureRequest switching = request with { Hires = request.Hires! with { Loras = b } };
        Picture expected = await narrow.Second.GenerateAsync(switching, cancellationToken: Cancellation);
        Assert.Equal(same.Provenance.StepHashes.SkipLast(1), expected.Provenance.StepHashes.SkipLast(1));
        Assert.NotEqual(same.Provenance.StepHashes[^1], expected.Provenance.StepHashes[^1]);
        Assert.Null(same.Provenance.SecondPassLoras);
        Assert.Equal(["a"], expected.Provenance.Loras.Select(lora => lora.Name));
        Assert.Equal(["convolutions"], expected.Provenance.SecondPassLoras!.Select(lora => lora.Name));

        // The text encoders and the UNet have the second pass's LoRAs, each at its own strength.
        foreach (PictureLora part in (PictureLora[])[b[0] with { Strength = 0 }, b[0] with { TextStrength = 0 }])
        {
            Picture other = await narrow.Second.GenerateAsync(
                request with { Hires = request.Hires! with { Loras = [part] } }, cancellationToken: Cancellation);
            Assert.NotEqual(expected.Pixels.ToArray(), other.Pixels.ToArray());
        }

        // Without any, it is the second pass of a picture whose first one alone is changed.
        Picture none = await narrow.Second.GenerateAsync(
            request with { Hires = request.Hires! with { Loras = [] } }, cancellationToken: Cancellation);
        Assert.NotEqual(same.Pixels.ToArray(), none.Pixels.ToArray());
        Assert.Empty(none.Provenance.SecondPassLoras!);

        foreach (OffloadMode mode in (OffloadMode[])[OffloadMode.Stream, OffloadMode.Rotate])
        {
            AtelierOptions options = TestAtelier.Options with { Offload = mode };
            ResidencyPlan plan = Atelier.Plan(narrow.Atelier.Model.Package, options, switching);
            await using Atelier atelier = await narrow.OpenAsync(options with { HostMemory = plan.PeakBytes });
            List<Picture> series = await atelier.GenerateManyAsync(switching, 2, 1, cancellationToken: Cancellation)
                .ToListAsync(Cancellation);
            // Sessions that rotate are optimized less, so the last bits differ.
            if (mode == OffloadMode.Stream) Assert.Equal(expected.Pixels.ToArray(), series[0].Pixels.ToArray());
            Assert.True(Likeness.Psnr(expected.Pixels.Span, series[0].Pixels.Span) > 45);

            // The first pass has its own LoRAs again after those of the second pass were in force.
            Picture again = await atelier.GenerateAsync(switching, cancellationToken: Cancellation);
            Assert.Equal(series[0].Pixels.ToArray(), again.Pixels.ToArray());
            Assert.Equal(series[0].Provenance.StepHashes, again.Provenance.StepHashes);
        }
    }

    [Fact]
    public void Plan_WithOtherLorasInTheSecondPass_CountsThoseOfEachPass()
    {
        PictureRequest request = Request with { Hires = new HiresPass { Scale = 1.25f, Steps = 1 } };
        PictureRequest switching = request with
        {
            Loras = [new PictureLora { Path = files.A }],
            Hires = request.Hires! with { Loras = [new PictureLora { Path = files.Convolutions }] },
        };
        ResidencyPlan plain = Plan(request), plan = Plan(switching), same = Plan(switching with { Hires = request.Hires });
        ResidencyPlan without = Plan(switching with { Hires = request.Hires! with { Loras = [] } });
        long first = plan.Request.MergedBytes, second = plan.SecondPass!.Request.MergedBytes;
        Assert.True(second > first, $"{second} and {first} bytes");
        Assert.Equal(first, same.SecondPass!.Request.MergedBytes);
        Assert.Equal((0, false), (without.SecondPass!.Request.MergedBytes, without.SecondPass.Request.HasLoras));
        Assert.Equal(plain.SecondPass!.PeakBytes + second, plan.SecondPass.PeakBytes);
        Assert.Equal(plain.SecondPass.PeakBytes, without.SecondPass.PeakBytes);
        Assert.Throws<RequestLoraException>(
            () => Plan(request with { Hires = request.Hires! with { Loras = [new PictureLora { Path = files["missing"] }] } }));

        static ResidencyPlan Plan(PictureRequest request) => Atelier.Plan(NarrowAtelier.Checkpoint, TestAtelier.Options, request);
    }

    [Theory]
    [InlineData("lightning-4")]
    [InlineData("lcm-4")]
    public async Task Generate_WithAPreset_PaintsItsStepsWithOneRow(string name)
    {
        FewStepPreset preset = FewStepPreset.Find(name)!;
        PictureRequest request = preset.ApplyTo(Request) with { Loras = [new PictureLora { Path = files.A }] };
        Picture picture = await narrow.Second.GenerateAsync(request, cancellationToken: Cancellation);
        Assert.Equal(preset.Steps, picture.Timings.Steps.Count);
        Assert.Equal(1, picture.Memory!.Plan.Request.RowsPerPicture);
        Assert.Equal("a", picture.Provenance.Loras.Single().Name);
    }

    [Fact]
    public async Task Generate_OfAFileThatIsMissingOrAnother_IsRefusedBeforeItWaits()
    {
        string missing = files["missing.safetensors"];
        RequestLoraException exception = await Assert.ThrowsAsync<RequestLoraException>(
            () => PaintAsync(new PictureLora { Path = missing }));
        Assert.Contains(missing, exception.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RequestLoraException>(
            () => PaintAsync(new PictureLora { Path = files.A, Sha256 = DigestOf(files.B) }));
        Picture named = await PaintAsync(new PictureLora { Path = files.A, Sha256 = DigestOf(files.A) });
        Assert.Single(named.Provenance.Loras);
        await Assert.ThrowsAnyAsync<LoraException>(() => PaintAsync(new PictureLora { Path = NarrowAtelier.Checkpoint }));
        Assert.Throws<RequestLoraException>(() => Atelier.Plan(
            NarrowAtelier.Checkpoint, TestAtelier.Options, Request with { Loras = [new PictureLora { Path = missing }] }));
    }

    [Fact]
    public void Plan_WithALora_CountsTheMergedWeights()
    {
        ResidencyPlan plain = Atelier.Plan(NarrowAtelier.Checkpoint, TestAtelier.Options, Request);
        PictureRequest request = Request with { Loras = [new PictureLora { Path = files.A }] };
        ResidencyPlan plan = Atelier.Plan(NarrowAtelier.Checkpoint, TestAtelier.Options, request);
        long merged = plan.Request.MergedBytes;
        // The fp16 weights of all linear layers, in fp32.
        Assert.InRange(merged, 4 << 20, 100 << 20);
        Assert.Equal(plain.PeakBytes + merged, plan.PeakBytes);
        Assert.Contains(plan.Explanation, line => line.Contains("LoRAs", StringComparison.Ordinal));
        Assert.DoesNotContain(plain.Explanation, line => line.Contains("LoRAs", StringComparison.Ordinal));
        Assert.Equal(LeastBudget(Request) + merged, LeastBudget(request));

        static long LeastBudget(PictureRequest request)
        {
            AtelierOptions tight = TestAtelier.Options with { HostMemory = MemoryBudget.FromInt64(1 << 20) };
            return Assert.Throws<BudgetTooSmallException>(() => Atelier.Plan(NarrowAtelier.Checkpoint, tight, request)).LeastBytes;
        }
    }

    private static string DigestOf(string path) => Sha256.Hash(File.ReadAllBytes(path));

    private Task<Picture> PaintAsync(params PictureLora[] loras) =>
        narrow.Second.GenerateAsync(Request with { Loras = loras }, cancellationToken: Cancellation);
}

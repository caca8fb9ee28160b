namespace MuseAtelier.Cuda.Tests;

/// <summary>Pictures that are painted from others, and second passes, on a card.</summary>
public sealed class SourceTests
{
    private const int Side = 256;

    private static readonly PictureRequest Request = new() { Prompt = "a lighthouse", Width = Side, Height = Side, Steps = 4 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // A picture of another kind between must leave nothing behind, and weights that are streamed must change nothing.
    [Theory]
    [InlineData(SamplingDialect.Diffusers)]
    [InlineData(SamplingDialect.A1111)]
    [InlineData(SamplingDialect.Comfy)]
    public async Task Generate_FromAPicture_GivesTheSameBytesInEveryMode(SamplingDialect dialect)
    {
        CudaRig.Require();
        PictureRequest request = Request with { Dialect = dialect, Source = new PictureSource(Image()) { Strength = 0.5f } };
        await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        Picture first = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        await atelier.GenerateAsync(Request with { Width = 320, Seed = 9 }, cancellationToken: Cancellation);
        Assert.Equal(first.Pixels.ToArray(), (await atelier.GenerateAsync(request, cancellationToken: Cancellation)).Pixels.ToArray());
        AtelierOptions streaming = CudaRig.Options() with { Offload = OffloadMode.Stream };
        await using Atelier streamed = await Atelier.OpenAsync(CudaRig.Checkpoint, streaming, cancellationToken: Cancellation);
        Assert.Equal(first.Pixels.ToArray(), (await streamed.GenerateAsync(request, cancellationToken: Cancellation)).Pixels.ToArray());
    }

    // The autoencoder alone: 12.6 were measured, for a picture that the Miniature was not trained on.
    [Fact]
    public async Task Generate_WithoutStrength_GivesThePictureBack()
    {
        CudaRig.Require();
        SourceImage image = Image();
        PictureRequest request = Request with { Source = new PictureSource(image) { Strength = 0 } };
        await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        Picture picture = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        double difference = MeanDifference(image.Pixels.Span, picture.Pixels.Span);
        Assert.True(difference < 16, $"the mean difference is {difference} of 255");
    }

    [Fact]
    public async Task Generate_WithAMask_KeepsTheBytesOutsideOfIt()
    {
        CudaRig.Require();
        SourceImage image = Image();
        var mask = new InpaintMask(Mask()) { Blur = 0 };
        PictureRequest request = Request with { Source = new PictureSource(image) { Strength = 0.75f, Mask = mask } };
        await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        Picture picture = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        int half = Side / 2 * Side * 3;
        Assert.Equal(image.Pixels.Span[..half].ToArray(), picture.Pixels.Span[..half].ToArray());
        Assert.NotEqual(image.Pixels.Span[half..].ToArray(), picture.Pixels.Span[half..].ToArray());
    }

    [Theory]
    [InlineData("latent")]
    [InlineData("lanczos")]
    public async Task Generate_WithASecondPass_GivesTheSameBytesAgainWithinTheBudget(string upscaler)
    {
        CudaRig.Require();
        var hires = new HiresPass { Scale = 1.5f, Steps = 2, Upscaler = HiresUpscaler.BuiltIn.Single(way => way.Id == upscaler) };
        PictureRequest request = Request with { Hires = hires };
        AtelierOptions options = CudaRig.Options() with { WatchMemory = true };
        await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, options, cancellationToken: Cancellation);
        Picture first = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        Picture again = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        Assert.Equal((384, 384), (first.Width, first.Height));
        Assert.Equal(first.Provenance.StepHashes, again.Provenance.StepHashes);
        Assert.Equal(first.Pixels.ToArray(), again.Pixels.ToArray());
    }

    // Both passes replay a captured step. Neither may disturb the memory of the other one, nor that of pictures of other sizes.
    [Theory]
    [InlineData("latent", OffloadMode.Auto)]
    [InlineData("latent", OffloadMode.Stream)]
    [InlineData("lanczos", OffloadMode.Auto)]
    public async Task Generate_WithASecondPassAgainAndAgain_GivesTheBytesOfAFreshAtelier(string upscaler, OffloadMode offload)
    {
        CudaRig.Require();
        var hires = new HiresPass { Scale = 1.5f, Steps = 6, Upscaler = HiresUpscaler.BuiltIn.Single(way => way.Id == upscaler) };
        PictureRequest request = Request with { Steps = 6, Hires = hires };
        PictureRequest plain = Request with { Width = 320, Seed = 9, Steps = 6 };
        byte[][] expected = [await PixelsOfAsync(request), await PixelsOfAsync(request with { Seed = 5 }), await PixelsOfAsync(plain)];

        AtelierOptions options = CudaRig.Options() with { Offload = offload, WatchMemory = true };
        await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, options, cancellationToken: Cancellation);
        for (int round = 0; round < 3; round++)
        {
            Picture first = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
            Picture second = await atelier.GenerateAsync(request with { Seed = 5 }, cancellationToken: Cancellation);
            Picture other = await atelier.GenerateAsync(plain, cancellationToken: Cancellation);
            Assert.Equal(expected, [first.Pixels.ToArray(), second.Pixels.ToArray(), other.Pixels.ToArray()]);
            AssertShared(first.Memory!.Plan);
            if (first.Memory.PeakBytes is { } peak) Assert.InRange(peak, 1, first.Memory.Plan.BudgetBytes);
        }

        async Task<byte[]> PixelsOfAsync(PictureRequest one)
        {
            // Without captures, so that nothing refers to memory of another picture.
            AtelierOptions plainly = CudaRig.Options(new CudaOptions { CaptureSteps = false });
            await using Atelier fresh = await Atelier.OpenAsync(CudaRig.Checkpoint, plainly, cancellationToken: Cancellation);
            return (await fresh.GenerateAsync(one, cancellationToken: Cancellation)).Pixels.ToArray();
        }
    }

    [Fact]
    public async Task Generate_FromPicturesWithOthersBetween_KeepsTheEncoderAndTheBytes()
    {
        CudaRig.Require();
        PictureRequest request = Request with { Source = new PictureSource(Image()) { Strength = 0.5f } };
        await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        List<byte[]> painted = [];
        for (int round = 0; round < 3; round++)
        {
            Picture picture = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
            Assert.True(picture.Memory!.Plan.KeepsEncoder);
            painted.Add(picture.Pixels.ToArray());
            Picture plain = await atelier.GenerateAsync(Request with { Width = 320 }, cancellationToken: Cancellation);
            Assert.False(plain.Memory!.Plan.KeepsEncoder);
        }

        Assert.Equal(painted[0], painted[1]);
        Assert.Equal(painted[0], painted[2]);

        // A source of another size has another working memory.
        PictureRequest larger = request with { Width = 384, Height = 320 };
        Picture once = await atelier.GenerateAsync(larger, cancellationToken: Cancellation);
        await using Atelier fresh = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        Picture again = await fresh.GenerateAsync(larger, cancellationToken: Cancellation);
        Assert.Equal(once.Pixels.ToArray(), again.Pixels.ToArray());
    }

    // Weights lie in the same places in both passes, so that a change of pass moves nothing.
    private static void AssertShared(ResidencyPlan first)
    {
        ResidencyPlan second = first.SecondPass!;
        Assert.NotNull(first.OtherPass);
        Assert.NotNull(second.OtherPass);
        Assert.True(first.CapturesSteps && second.CapturesSteps);
        Assert.Equal(first.StreamingBufferBytes, second.StreamingBufferBytes);
        Assert.All(first.Components, component => Assert.Equal(
            component.Stages.Select(stage => stage.Placement), second.Component(component.Name).Stages.Select(stage => stage.Placement)));
    }

    private static double MeanDifference(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        long sum = 0;
        for (int i = 0; i < one.Length; i++) sum += Math.Abs(one[i] - other[i]);
        return (double)sum / one.Length;
    }

    private static SourceImage Image()
    {
        byte[] pixels = new byte[Side * Side * 3];
        for (int i = 0; i < pixels.Length; i++)
        {
            int pixel = i / 3;
            pixels[i] = (byte)(i % 3 == 0 ? pixel % Side : i % 3 == 1 ? pixel / Side : 160);
        }

        return new SourceImage(Side, Side, pixels);
    }

    // The lower half is painted anew.
    private static MaskImage Mask()
    {
        byte[] pixels = new byte[Side * Side];
        pixels.AsSpan(pixels.Length / 2).Fill(byte.MaxValue);
        return new MaskImage(Side, Side, pixels);
    }
}

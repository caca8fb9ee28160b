using System.Text.Json;
using MuseAtelier.Imaging;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

/// <summary>Pictures that diffusers painted from others, where MUSE_GOLDENS names a folder that has them.</summary>
public sealed class SourceReferenceTests(TestAtelier miniature)
{
    private static readonly string? Folder =
        Environment.GetEnvironmentVariable("MUSE_GOLDENS") is { Length: > 0 } folder && Directory.Exists(Path.Combine(folder, "painting"))
            ? Path.Combine(folder, "painting")
            : null;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateAsync_OfDiffusersImageToImage_PaintsItAndAllocatesNothingInItsSteps()
    {
        if (Folder is null) return;
        Picture picture = await PaintAsync();
        double psnr = Likeness.Psnr(picture.Pixels.Span, Starry.Read(Path.Combine(Folder, "img2img.png")));
        Assert.True(psnr >= 45, $"{psnr:F1} dB");
        Assert.Equal(12, picture.Timings.Steps.Count);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{psnr:F1} dB; text {picture.Timings.Text}, encoding {picture.Timings.Encoding}, {picture.Timings.Denoising}");
        await Allocations.AssertNoneAsync(picture, PaintAsync);

        Task<Picture> PaintAsync() => miniature.Second.GenerateAsync(RequestOf("img2img"), cancellationToken: Cancellation);
    }

    [Fact]
    public async Task GenerateAsync_OfDiffusersInpainting_PaintsIt()
    {
        if (Folder is null) return;
        var mask = new InpaintMask(new MaskImage(512, 512, Starry.Read(Path.Combine(Folder, "mask.png")))) { Blur = 0 };
        PictureRequest request = RequestOf("inpaint");
        PictureSource source = request.Source! with { Mask = mask with { PasteBack = false } };
        Picture picture = await miniature.Second.GenerateAsync(request with { Source = source }, cancellationToken: Cancellation);
        byte[] expected = Starry.Read(Path.Combine(Folder, "inpaint.png"));
        double psnr = Likeness.Psnr(picture.Pixels.Span, expected);
        Assert.True(psnr >= 45, $"{psnr:F1} dB");
        Assert.Equal(18, picture.Timings.Steps.Count);
        TestContext.Current.TestOutputHelper!.WriteLine($"{psnr:F1} dB");

        // Pasted back as another test shows that pictures are.
        PreparedSource prepared = SourcePreparation.Prepare(source with { Mask = mask }, 512, 512, SamplingDialect.Diffusers);
        byte[] pasted = new byte[expected.Length];
        PasteBack.Composite(prepared, picture.Pixels.Span, pasted);
        int[] masked = [.. Enumerable.Range(0, 512 * 512).Where(at => mask.Image.Pixels.Span[at] == 255)];
        double inside = Likeness.Psnr(Of(pasted, masked), Of(expected, masked));
        Assert.True(inside >= 45, $"{inside:F1} dB inside of the mask");
        int[] kept = [.. Enumerable.Range(0, 512 * 512).Except(masked)];
        Assert.Equal(Of(Starry.Large.Pixels.Span, kept), Of(pasted, kept));
    }

    private static byte[] Of(ReadOnlySpan<byte> pixels, int[] places)
    {
        byte[] chosen = new byte[places.Length * 3];
        for (int i = 0; i < places.Length; i++) pixels.Slice(places[i] * 3, 3).CopyTo(chosen.AsSpan(i * 3));
        return chosen;
    }

    private static PictureRequest RequestOf(string name)
    {
        using var settings = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder!, "extras.golden.json")));
        JsonElement picture = settings.RootElement.GetProperty(name);
        Assert.Equal("starry-512.png", picture.GetProperty("init").GetString());
        return new PictureRequest
        {
            Prompt = picture.GetProperty("prompt").GetString()!,
            NegativePrompt = picture.GetProperty("negative").GetString()!,
            Width = 512,
            Height = 512,
            Steps = picture.GetProperty("steps").GetInt32(),
            GuidanceScale = picture.GetProperty("guidance").GetSingle(),
            Seed = picture.GetProperty("seed").GetUInt64(),
            Source = new PictureSource(Starry.Large) { Strength = picture.GetProperty("strength").GetSingle() },
        };
    }
}

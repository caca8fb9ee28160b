using System.Text.Json;
using MuseAtelier.Tests.Support;
using NetVips;

namespace MuseAtelier.Tests.Painting;

public sealed class ReferencePictureTests(TestAtelier miniature)
{
    [Fact]
    public async Task GenerateAsync_OfDiffusersPicture_PaintsItAndAllocatesNothingInItsSteps()
    {
        using var settings = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(GoldenFiles.Folder, "pictures.json")));
        JsonElement starry = settings.RootElement.GetProperty("starry-512");
        Picture picture = await miniature.Atelier.GenerateAsync(
            new PictureRequest
            {
                Prompt = starry.GetProperty("prompt").GetString()!,
                NegativePrompt = starry.GetProperty("negative").GetString()!,
                Width = starry.GetProperty("width").GetInt32(),
                Height = starry.GetProperty("height").GetInt32(),
                Steps = starry.GetProperty("steps").GetInt32(),
                GuidanceScale = starry.GetProperty("guidance").GetSingle(),
                Seed = starry.GetProperty("seed").GetUInt64(),
            },
            cancellationToken: TestContext.Current.CancellationToken);

        using Image reference = Image.NewFromFile(Path.Combine(GoldenFiles.Folder, "starry-512.png"));
        Assert.Equal((picture.Width, picture.Height, 3), (reference.Width, reference.Height, reference.Bands));
        double psnr = Likeness.Psnr(picture.Pixels.Span, reference.WriteToMemory<byte>());
        Assert.True(psnr >= 45, $"{psnr:F1} dB");
        Assert.Equal(20, picture.Timings.Steps.Count);
        await Allocations.AssertNoneAsync(picture, () =>
            miniature.Atelier.GenerateAsync(picture.Request, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Empty(picture.Notices);
    }
}

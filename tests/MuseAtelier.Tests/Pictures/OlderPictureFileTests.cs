using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;
using NetVips;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Pictures that version 0.1.0 wrote by libvips, before PNG, JPEG and WebP were encoded by ImageSharp.</summary>
public sealed class OlderPictureFileTests(TestAtelier miniature)
{
    private const string Prompt = "a starry night, café 夜 🌌";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Golden(string name) => Path.Combine(GoldenFiles.Folder, "pictures-netvips", name);

    [Theory]
    [InlineData("png", PictureFormat.Png)]
    [InlineData("jpg", PictureFormat.Jpeg)]
    [InlineData("webp", PictureFormat.WebP)]
    [InlineData("avif", PictureFormat.Avif)]
    public void Read_OfAnOlderFile_FindsCommentAndRecord(string extension, PictureFormat format)
    {
        PictureFileContent content = PictureFile.Read(Golden($"night.{extension}"));
        Assert.Equal((format, 256, 256), (content.Format, content.Width, content.Height));
        Assert.StartsWith($"{Prompt}\nNegative prompt: fog\nSteps: 1, Sampler: Euler a,", content.Parameters, StringComparison.Ordinal);
        PictureRecord record = content.ReadRecord();
        Assert.Equal((Prompt, "fog", 3ul, format),
            (record.Request.Prompt, record.Request.NegativePrompt, record.Request.Seed, record.Encoding.Format));
        Assert.Empty(content.Notices);
    }

    [Fact]
    public void Read_OfAnOlderFileWithParametersAlone_FindsThem()
    {
        PictureFileContent content = PictureFile.Read(Golden("parameters.jpg"));
        Assert.StartsWith("a starry night, cafe\nNegative prompt: fog\nSteps: 1,", content.Parameters, StringComparison.Ordinal);
        Assert.Null(content.RecordJson);
    }

    [Fact]
    public void ReadPixels_OfOlderFiles_GivesWhatLibvipsGives()
    {
        foreach ((string name, double least) in (ReadOnlySpan<(string, double)>)[("night.png", double.PositiveInfinity), ("night.jpg", 45),
            ("night.webp", 35), ("parameters.jpg", 35)])
        {
            using Image reference = Image.NewFromFile(Golden(name));
            (int width, int height, byte[] pixels) = Encoded.Pixels(Golden(name));
            Assert.Equal((reference.Width, reference.Height), (width, height));
            double psnr = Likeness.Psnr(pixels, reference.WriteToMemory<byte>());
            Assert.True(psnr >= least, $"{name}: {psnr:0.0} dB");
        }
    }

    // Painted here and now, and written as version 0.1.0 did: the same latents on every machine.
    [Theory]
    [InlineData("png", PictureFormat.Png)]
    [InlineData("jpg", PictureFormat.Jpeg)]
    [InlineData("webp", PictureFormat.WebP)]
    public async Task VerifyAsync_OfAPictureThatLibvipsWrote_SaysSameLatentsAndPixels(string extension, PictureFormat format)
    {
        using var folder = new TemporaryFolder();
        Picture picture = await miniature.Atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Stop);
        string path = folder[$"older.{extension}"],
            json = PictureRecord.Of(picture, new RecordedEncoding(format, PictureFormats.DefaultQuality(format))).ToJson();
        await File.WriteAllBytesAsync(path, VipsFiles.Write(picture, format, json), Stop);
        PictureVerification verification = await PictureVerifier.VerifyAsync(miniature.Atelier, path, null, Stop);
        Assert.True(verification is { Outcome: VerificationOutcome.SameLatents, SamePixels: true, Holds: true },
            $"{verification.Outcome}, {verification.Psnr:0.0} dB");
        if (format == PictureFormat.Png) Assert.Equal(0, verification.LargestDifference);
    }

    // The files' latents are those of the machine that painted them; where another's last bits differ, the pictures are still alike.
    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    [InlineData("avif")]
    public async Task VerifyAsync_OfAnOlderFile_PaintsThePicture(string extension)
    {
        PictureVerification verification = await PictureVerifier.VerifyAsync(miniature.Atelier, Golden($"night.{extension}"), null, Stop);
        Assert.NotEqual(VerificationOutcome.OtherPicture, verification.Outcome);
        Assert.NotEqual(VerificationOutcome.AnotherModel, verification.Outcome);
        Assert.True(verification.Psnr >= 25, $"{verification.Psnr:0.0} dB");
    }
}

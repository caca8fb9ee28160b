using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Pictures that another encoder wrote, as that of an earlier version: their record says the same, their bytes differ.</summary>
public sealed class OtherEncoderTests(NarrowAtelier narrow)
{
    private static readonly PictureRequest Request = TestAtelier.Small with { Seed = 11 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // A quality that is one off stands for an encoder that packs or rounds otherwise.
    [Theory]
    [InlineData(PictureFormat.Jpeg, "jpg", 95, 94)]
    [InlineData(PictureFormat.WebP, "webp", 95, 94)]
    public async Task VerifyAsync_OfALossyFileOfAnotherEncoder_SaysSamePixels(PictureFormat format, string extension, int recorded,
        int encoded)
    {
        using var folder = new TemporaryFolder();
        Picture picture = await narrow.Atelier.GenerateAsync(Request, cancellationToken: Stop);
        string json = PictureRecord.Of(picture, new RecordedEncoding(format, recorded)).ToJson();
        PictureVerification verification =
            await VerifyAsync(folder[$"other.{extension}"], picture, picture.Pixels, new RecordedEncoding(format, encoded), json);
        Assert.Equal(VerificationOutcome.SameLatents, verification.Outcome);
        Assert.True(verification is { Holds: true, SamePixels: true, LargestDifference: > 0 });
        Assert.Empty(verification.Changes);
    }

    [Fact]
    public async Task VerifyAsync_OfAPngOfAnotherEncoder_SaysSamePixelsWhereTheyAre()
    {
        using var folder = new TemporaryFolder();
        Picture picture = await narrow.Atelier.GenerateAsync(Request, cancellationToken: Stop);
        var encoding = new RecordedEncoding(PictureFormat.Png);
        string json = PictureRecord.Of(picture, encoding).ToJson();
        string path = folder["other.png"];
        await VerifyAsync(path, picture, picture.Pixels, encoding, json);
        File.WriteAllBytes(path, Encoded.Png(File.ReadAllBytes(path), [PngChunk.Text("Software", "another")]));
        PictureVerification other = await PictureVerifier.VerifyAsync(narrow.Atelier, path, null, Stop);
        Assert.True(other is { Outcome: VerificationOutcome.SameLatents, Holds: true, SamePixels: true, LargestDifference: 0 });

        // One value that is one off.
        byte[] changed = picture.Pixels.ToArray();
        changed[1000] ^= 1;
        PictureVerification edited = await VerifyAsync(path, picture, changed, encoding, json);
        Assert.True(edited is { Outcome: VerificationOutcome.SameLatents, SamePixels: false, LargestDifference: 1 });
    }

    private async Task<PictureVerification> VerifyAsync(string path, Picture picture, ReadOnlyMemory<byte> pixels,
        RecordedEncoding encoding, string json)
    {
        MetadataTexts texts = MetadataTexts.Of(PictureRecord.Parse(path, json), json);
        await File.WriteAllBytesAsync(path, Encoded.Picture(path, pixels, picture.Width, picture.Height, encoding, texts), Stop);
        return await PictureVerifier.VerifyAsync(narrow.Atelier, path, null, Stop);
    }
}

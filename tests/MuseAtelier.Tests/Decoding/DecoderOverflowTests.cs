using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Lowerings;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Decoding;

/// <summary>A picture whose decoding exceeds fp16, by the package that a card runs.</summary>
public sealed class DecoderOverflowTests(TestAtelier miniature) : IDisposable
{
    // Factors of a power of two keep mantissas: what is left is that the norms' epsilon weighs less. 94 dB were measured.
    private const double LeastPsnr = 80;

    private static readonly PictureRequest Wide = TestAtelier.Small with { Width = 384, Height = 320, Steps = 1 };

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task GenerateAsync_OfADecoderThatOverflows_DecodesOnceMoreInFp32WithANotice()
    {
        OverflowingCheckpoint.Write(TestAtelier.Checkpoint, _folder["loud.safetensors"]);
        CudaPackageOnProcessor.Export(_folder["loud.safetensors"], _folder["loud"]);
        CudaPackageOnProcessor.Export(TestAtelier.Checkpoint, _folder["plain"]);
        Picture loud = await Paint(_folder["loud"]), plain = await Paint(_folder["plain"]);

        Assert.Equal(plain.Latents.Span, loud.Latents.Span);
        Assert.False(plain.DecodedInFp32);
        Assert.Empty(plain.Notices);
        Assert.True(loud.DecodedInFp32);
        Assert.Contains("fp32", Assert.Single(loud.Notices), StringComparison.Ordinal);
        Assert.True(PictureRecord.Of(loud, new RecordedEncoding(PictureFormat.Png)).DecodedInFp32);
        // The plain picture was decoded in fp16: 69 dB were measured.
        Assert.True(Likeness.Psnr(plain.Pixels.Span, loud.Pixels.Span) > 55, $"{Likeness.Psnr(plain.Pixels.Span, loud.Pixels.Span):F1} dB");
    }

    [Fact]
    public async Task GenerateAsync_OfADecoderThatOverflows_InFp32PaintsTheSame()
    {
        OverflowingCheckpoint.Write(TestAtelier.Checkpoint, _folder["loud.safetensors"]);
        await using Atelier atelier = await Atelier.OpenAsync(
            _folder["loud.safetensors"], TestAtelier.Options with { CacheFolder = _folder["cache"] }, cancellationToken: Cancellation);
        Picture loud = await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Picture plain = await miniature.Atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Assert.Equal(plain.Latents.Span, loud.Latents.Span);
        Assert.True(
            Likeness.Psnr(plain.Pixels.Span, loud.Pixels.Span) > LeastPsnr, $"{Likeness.Psnr(plain.Pixels.Span, loud.Pixels.Span):F1} dB");
    }

    // Whether fp16 overflows depends on its tiles, and those on the budget of that day: another run must not have to overflow again.
    [Fact]
    public async Task VerifyAsync_OfAPictureDecodedInFp32_DecodesInFp32WhetherFp16OverflowsOrNot()
    {
        CudaPackageOnProcessor.Export(TestAtelier.Checkpoint, _folder["plain"]);
        var tile = new TileSize(32, 40);
        AtelierOptions then = TestAtelier.Options with { VaeTiling = VaeTiling.Tiled, VaeTile = tile, DecodesInFp32 = true };
        Picture picture = await Paint(_folder["plain"], then, Wide);
        Assert.True(picture.DecodedInFp32);
        Assert.Empty(picture.Notices);
        Assert.Equal(tile, picture.Provenance.VaeTile);
        Assert.NotEqual(
            (await Paint(_folder["plain"], then with { DecodesInFp32 = false }, Wide)).Pixels.ToArray(), picture.Pixels.ToArray());

        PictureFile.Write(picture, _folder["fp32.png"]);
        await using Atelier atelier = await Atelier.OpenAsync(
            _folder["plain"], PictureVerifier.Suit(PictureFile.Read(_folder["fp32.png"]).ReadRecord(), TestAtelier.Options),
            cancellationToken: Cancellation);
        Assert.Equal(
            VerificationOutcome.SameBytes, (await PictureVerifier.VerifyAsync(atelier, _folder["fp32.png"], null, Cancellation)).Outcome);
    }

    [Fact]
    public async Task VerifyAsync_OfAPictureDecodedAgain_GivesTheSameBytesAndDecodesOnce()
    {
        OverflowingCheckpoint.Write(TestAtelier.Checkpoint, _folder["loud.safetensors"]);
        CudaPackageOnProcessor.Export(_folder["loud.safetensors"], _folder["loud"]);
        // Other tiles in fp16 than in fp32, where the whole fits.
        Picture picture = await Paint(
            _folder["loud"], TestAtelier.Options with { VaeTiling = VaeTiling.Tiled, VaeTile = new TileSize(32, 40) }, Wide);
        Assert.True(picture.DecodedInFp32);
        Assert.Null(picture.Provenance.VaeTile);

        PictureFile.Write(picture, _folder["loud.png"]);
        AtelierOptions options = PictureVerifier.Suit(PictureFile.Read(_folder["loud.png"]).ReadRecord(), TestAtelier.Options);
        await using Atelier atelier = await Atelier.OpenAsync(_folder["loud"], options, cancellationToken: Cancellation);
        Assert.Equal(
            VerificationOutcome.SameBytes, (await PictureVerifier.VerifyAsync(atelier, _folder["loud.png"], null, Cancellation)).Outcome);
        Assert.Empty((await atelier.GenerateAsync(Wide, cancellationToken: Cancellation)).Notices);
    }

    private static Task<Picture> Paint(string package) => Paint(package, TestAtelier.Options, TestAtelier.Small);

    private static async Task<Picture> Paint(string package, AtelierOptions options, PictureRequest request)
    {
        await using Atelier atelier = await Atelier.OpenAsync(package, options, cancellationToken: Cancellation);
        return await atelier.GenerateAsync(request, cancellationToken: Cancellation);
    }
}

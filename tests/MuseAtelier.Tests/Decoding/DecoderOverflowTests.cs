using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Lowerings;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Decoding;

/// <summary>A picture whose decoding exceeds fp16, by the package that a card runs.</summary>
public sealed class DecoderOverflowTests(NarrowAtelier narrow, DecoderOverflowTests.Packages packages)
    : IClassFixture<DecoderOverflowTests.Packages>, IDisposable
{
    // Factors of a power of two keep mantissas: what is left is that the norms' epsilon weighs less. 94 dB were measured.
    private const double LeastPsnr = 80;

    private static readonly TileSize Tile = new(32, 40);

    // Two tiles.
    private static readonly PictureRequest Wide = TestAtelier.Small with { Width = 384, Steps = 1 };

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task GenerateAsync_OfADecoderThatOverflows_DecodesOnceMoreInFp32WithANotice()
    {
        PictureRequest request = TestAtelier.Small with { Steps = 1 };
        Picture loud = await Paint(packages.Loud, TestAtelier.Options, request);
        Picture plain = await Paint(packages.Plain, TestAtelier.Options, request);

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
        await using Atelier atelier = await Atelier.OpenAsync(
            packages.LoudCheckpoint, TestAtelier.Options with { CacheFolder = _folder["cache"] }, cancellationToken: Cancellation);
        Picture loud = await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Picture plain = await narrow.ReferenceAsync(TestAtelier.Small);
        Assert.Equal(plain.Latents.Span, loud.Latents.Span);
        Assert.True(
            Likeness.Psnr(plain.Pixels.Span, loud.Pixels.Span) > LeastPsnr, $"{Likeness.Psnr(plain.Pixels.Span, loud.Pixels.Span):F1} dB");
    }

    // Whether fp16 overflows depends on its tiles, and those on the budget of that day: another run must not have to overflow again.
    [Fact]
    public async Task VerifyAsync_OfAPictureDecodedInFp32_DecodesInFp32WhetherFp16OverflowsOrNot()
    {
        AtelierOptions then = TestAtelier.Options with { VaeTiling = VaeTiling.Tiled, VaeTile = Tile, DecodesInFp32 = true };
        Picture picture = await Paint(packages.Plain, then, Wide);
        Assert.True(picture.DecodedInFp32);
        Assert.Empty(picture.Notices);
        Assert.Equal(Tile, picture.Provenance.VaeTile);
        Assert.NotEqual(
            (await Paint(packages.Plain, then with { DecodesInFp32 = false }, Wide)).Pixels.ToArray(), picture.Pixels.ToArray());

        PictureFile.Write(picture, _folder["fp32.png"]);
        await using Atelier atelier = await Atelier.OpenAsync(
            packages.Plain, PictureVerifier.Suit(PictureFile.Read(_folder["fp32.png"]).ReadRecord(), TestAtelier.Options),
            cancellationToken: Cancellation);
        Assert.Equal(
            VerificationOutcome.SameBytes, (await PictureVerifier.VerifyAsync(atelier, _folder["fp32.png"], null, Cancellation)).Outcome);
    }

    [Fact]
    public async Task VerifyAsync_OfAPictureDecodedAgain_GivesTheSameBytesAndDecodesOnce()
    {
        // Other tiles in fp16 than in fp32, where the whole fits.
        Picture picture = await Paint(
            packages.Loud, TestAtelier.Options with { VaeTiling = VaeTiling.Tiled, VaeTile = Tile }, Wide);
        Assert.True(picture.DecodedInFp32);
        Assert.Null(picture.Provenance.VaeTile);

        PictureFile.Write(picture, _folder["loud.png"]);
        AtelierOptions options = PictureVerifier.Suit(PictureFile.Read(_folder["loud.png"]).ReadRecord(), TestAtelier.Options);
        await using Atelier atelier = await Atelier.OpenAsync(packages.Loud, options, cancellationToken: Cancellation);
        Assert.Equal(
            VerificationOutcome.SameBytes, (await PictureVerifier.VerifyAsync(atelier, _folder["loud.png"], null, Cancellation)).Outcome);
        Assert.Empty((await atelier.GenerateAsync(Wide, cancellationToken: Cancellation)).Notices);
    }

    private static async Task<Picture> Paint(string package, AtelierOptions options, PictureRequest request)
    {
        await using Atelier atelier = await Atelier.OpenAsync(package, options, cancellationToken: Cancellation);
        return await atelier.GenerateAsync(request, cancellationToken: Cancellation);
    }

    /// <summary>The packages of a card, exported once for all tests of the class.</summary>
    public sealed class Packages : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Packages()
        {
            OverflowingCheckpoint.Write(NarrowAtelier.Checkpoint, LoudCheckpoint);
            CudaPackageOnProcessor.Export(LoudCheckpoint, Loud);
            CudaPackageOnProcessor.Export(NarrowAtelier.Checkpoint, Plain);
        }

        /// <summary>A checkpoint whose decoder overflows in fp16.</summary>
        public string LoudCheckpoint => _folder["loud.safetensors"];

        /// <summary>Its package.</summary>
        public string Loud => _folder["loud"];

        /// <summary>The package of one that does not.</summary>
        public string Plain => _folder["plain"];

        public void Dispose() => _folder.Dispose();
    }
}

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

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task GenerateAsync_OfADecoderThatOverflows_DecodesOnceMoreInFp32AndSaysSo()
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
        await using Atelier atelier = await Atelier.OpenAsync(_folder["loud.safetensors"], TestAtelier.Options with { CacheFolder = _folder["cache"] }, cancellationToken: Cancellation);
        Picture loud = await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation), plain = await miniature.Atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Assert.Equal(plain.Latents.Span, loud.Latents.Span);
        Assert.True(Likeness.Psnr(plain.Pixels.Span, loud.Pixels.Span) > LeastPsnr, $"{Likeness.Psnr(plain.Pixels.Span, loud.Pixels.Span):F1} dB");
    }

    private static async Task<Picture> Paint(string package)
    {
        await using Atelier atelier = await Atelier.OpenAsync(package, TestAtelier.Options, cancellationToken: Cancellation);
        return await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
    }
}

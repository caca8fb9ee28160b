using System.Buffers;
using System.Runtime.InteropServices;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Who owns the memory of pictures, decoded pictures and previews, and for how long.</summary>
public sealed class PictureOwnershipTests(NarrowAtelier narrow)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Dispose_OfAPicture_GivesEachMemoryBackOnceAndEndsItsUse()
    {
        var owners = new Owner[] { new(), new() };
        Picture sample = SamplePicture.Of(new PictureRequest { Prompt = "x" });
        var picture = new Picture
        {
            Width = sample.Width,
            Height = sample.Height,
            Pixels = sample.Pixels,
            Request = sample.Request,
            Model = sample.Model,
            Notices = [],
            Timings = sample.Timings,
            Latents = sample.Latents,
            Provenance = sample.Provenance,
            Owners = owners,
        };
        Parallel.For(0, 8, _ => picture.Dispose());
        Assert.All(owners, owner => Assert.Equal(1, owner.Disposals));
        Assert.Throws<ObjectDisposedException>(() => picture.Pixels);
        Assert.Throws<ObjectDisposedException>(() => picture.Latents);
        Assert.Throws<ObjectDisposedException>(() => PictureFile.Encode(picture, PictureFormat.Png));
        // What is no pooled memory stays readable.
        Assert.Equal((64, "x"), (picture.Width, picture.Request.Prompt));
    }

    [Fact]
    public async Task GenerateAsync_OfAPicture_LaysItInPooledMemoryOfItsSize()
    {
        Picture picture = await narrow.Atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Stop);
        Assert.Equal((256 * 256 * 3, 4 * 32 * 32), (picture.Pixels.Length, picture.Latents.Length));
        byte[] pixels = ArrayOf(picture.Pixels);
        float[] latents = ArrayOf(picture.Latents);
        // The pool's array is larger than the picture, which shows none of the rest.
        Assert.True(pixels.Length > picture.Pixels.Length);
        picture.Dispose();
        picture.Dispose();
        // A thread gets back first what it returned last; if it had been returned twice, the second would be the same array.
        byte[] first = ArrayPool<byte>.Shared.Rent(256 * 256 * 3);
        byte[] second = ArrayPool<byte>.Shared.Rent(256 * 256 * 3);
        Assert.Same(pixels, first);
        Assert.NotSame(pixels, second);
        Assert.Same(latents, ArrayPool<float>.Shared.Rent(4 * 32 * 32));
    }

    [Fact]
    public void Dispose_OfADecodedPicture_GivesItsMemoryBackOnce()
    {
        byte[] file = PictureFile.Encode(SamplePicture.Of(new PictureRequest { Prompt = "x" }), PictureFormat.Png);
        DecodedPicture decoded = PictureFile.Decode(file);
        byte[] pixels = ArrayOf(decoded.Pixels);
        decoded.Dispose();
        decoded.Dispose();
        Assert.Throws<ObjectDisposedException>(() => decoded.Pixels);
        byte[] first = ArrayPool<byte>.Shared.Rent(64 * 48 * 3);
        Assert.Same(pixels, first);
        Assert.NotSame(pixels, ArrayPool<byte>.Shared.Rent(64 * 48 * 3));
    }

    [Fact]
    public async Task GenerateAsync_WithPreviews_GivesEachReportOneThatStaysAsItIs()
    {
        await using Atelier atelier = await narrow.OpenAsync(TestAtelier.Options with { Previews = true });
        List<LatentPreview> previews = [];
        List<byte[]> then = [];
        var reports = new Reports<GenerationProgress>(report =>
        {
            if (report.Preview is not { } preview) return;
            previews.Add(preview);
            then.Add(preview.Pixels.ToArray());
        });
        using Picture picture = await atelier.GenerateAsync(TestAtelier.Small, reports, Stop);
        Assert.Equal(3, previews.Count);
        Assert.All(previews.Zip(then), pair => Assert.Equal(pair.Second, pair.First.Pixels.ToArray()));
        Assert.NotEqual(then[0], then[^1]);
        // The copies are made between the steps, which themselves allocate nothing.
        await Allocations.AssertNoneAsync(picture, () => atelier.GenerateAsync(TestAtelier.Small, reports, Stop));
    }

    [Theory]
    [InlineData(PictureFormat.Png)]
    [InlineData(PictureFormat.Jpeg)]
    [InlineData(PictureFormat.WebP)]
    public async Task Encode_OfAPreview_GivesAPictureWithoutMetadata(PictureFormat format)
    {
        byte[] pixels = new byte[16 * 8 * 3];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)(i / 3 * 2);
        var preview = new LatentPreview(16, 8, pixels);
        byte[] file = preview.Encode(format, 90);
        Assert.Empty(PictureFile.Read(file).Texts);
        using DecodedPicture decoded = PictureFile.Decode(file);
        Assert.Equal((format, 16, 8), (decoded.Format, decoded.Width, decoded.Height));
        if (format == PictureFormat.Png) Assert.Equal(pixels, decoded.Pixels.ToArray());

        using var stream = new MemoryStream();
        preview.Encode(stream, format, 90);
        Assert.Equal(file, stream.ToArray());
        await using var network = new NetworkStream([], isAsyncOnly: true);
        await preview.EncodeAsync(network, format, 90, Stop);
        Assert.Equal(file, network.Written);
    }

    // A positional record breaks its callers when it gets another member.
    [Fact]
    public void Records_OfPictures_CanGrow()
    {
        Type[] own =
        [
            .. typeof(PictureFile).Assembly.GetExportedTypes(),
            .. typeof(Picture).Assembly.GetExportedTypes().Where(type => type.Name is nameof(PictureTimings) or nameof(PictureMemory)
                or nameof(PhaseMemory) or nameof(ModelInfo) or nameof(UsedPrediction) or nameof(LatentPreview)),
        ];
        Assert.True(own.Length > 30);
        Assert.Empty(own.Where(type => type.GetMethod("Deconstruct") is not null).Select(type => type.Name));
    }

    private static T[] ArrayOf<T>(ReadOnlyMemory<T> memory)
    {
        Assert.True(MemoryMarshal.TryGetArray(memory, out ArraySegment<T> segment));
        return segment.Array!;
    }

    private sealed class Owner : IDisposable
    {
        private int _disposals;

        public int Disposals => _disposals;

        public void Dispose() => Interlocked.Increment(ref _disposals);
    }
}

using CommunityToolkit.HighPerformance.Buffers;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Cpu;
using MuseAtelier.Decoding;
using MuseAtelier.Export;
using MuseAtelier.Format;
using MuseAtelier.Framing;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Decoding;

public sealed class PostProcessorTests(PostProcessorTests.Packages packages, TestAtelier test) : IClassFixture<PostProcessorTests.Packages>
{
    public static TheoryData<Lowering, FrameStyle, FramePlacement, int, int> Frames => new()
    {
        { Lowering.Portable, FrameStyle.Gilded, FramePlacement.Inside, 256, 256 },
        { Lowering.Portable, FrameStyle.Gilded, FramePlacement.Outside, 264, 328 },
        { Lowering.Portable, FrameStyle.Ebony, FramePlacement.Outside, 1000, 408 },
        { Lowering.Cuda, FrameStyle.Celadon, FramePlacement.Inside, 328, 264 },
        { Lowering.Cuda, FrameStyle.Gilded, FramePlacement.Outside, 264, 1000 },
    };

    [Theory]
    [MemberData(nameof(Frames))]
    public void ToPixels_WithAFrame_GivesWhatTheHostWould(
        Lowering lowering, FrameStyle style, FramePlacement placement, int width, int height)
    {
        using Bench bench = packages.Open(lowering);
        float[] image = Image(width, height);
        byte[] bare = bench.ToPixels(image, width, height, null)!;
        byte[] framed = bench.ToPixels(image, width, height, new PictureFrame(style, placement))!;

        // By whole numbers, and from the bytes of the picture without a frame: where all of it stays, it is those bytes.
        FrameOverlay overlay = FrameOverlay.Paint(width, height, new PictureFrame(style, placement));
        byte[] expected = new byte[overlay.Width * overlay.Height * 3];
        for (int y = 0; y < overlay.Height; y++)
            for (int x = 0; x < overlay.Width; x++)
                for (int channel = 0; channel < 3; channel++)
                {
                    int at = y * overlay.Width + x, picture = bare[((int)overlay.Rows[y] * width + (int)overlay.Columns[x]) * 3 + channel];
                    expected[at * 3 + channel] = (byte)((2 * picture * overlay.Keep[at] + 255) / 510 + overlay.Colour[at * 3 + channel]);
                }

        Assert.Equal(expected, framed);
        byte[] onHost = new byte[expected.Length];
        overlay.LayOver(bare, width, onHost);
        Assert.Equal(framed, onHost);
    }

    [Theory]
    [InlineData(FrameStyle.Gilded)]
    [InlineData(FrameStyle.Ebony)]
    [InlineData(FrameStyle.Celadon)]
    public void ToPixels_WithAFrameAround_KeepsThePicture(FrameStyle style)
    {
        using Bench bench = packages.Open(Lowering.Portable);
        float[] image = Image(264, 256);
        byte[] bare = bench.ToPixels(image, 264, 256, null)!;
        byte[] framed = bench.ToPixels(image, 264, 256, new PictureFrame(style, FramePlacement.Outside))!;

        Assert.Equal((264 + 32) * (256 + 32) * 3, framed.Length);
        for (int y = 0; y < 256; y++)
            Assert.Equal(bare.AsSpan(y * 264 * 3, 264 * 3), framed.AsSpan(((y + 16) * (264 + 32) + 16) * 3, 264 * 3));
    }

    [Fact]
    public void Prepare_WithTheFrameThatIsThere_SendsNothingMore()
    {
        using Bench bench = packages.Open(Lowering.Portable);
        float[] image = Image(256, 256);
        var frame = new PictureFrame(FrameStyle.Gilded);
        byte[] first = bench.ToPixels(image, 256, 256, frame)!;
        Assert.Equal(1, bench.Finisher.FrameUploads);

        // Not even where the picture lies elsewhere.
        using NativeBuffer elsewhere = bench.Device.Allocate(image.Length * sizeof(float));
        Assert.Equal(first, bench.ToPixels(image, 256, 256, new PictureFrame(FrameStyle.Gilded)));
        Assert.Equal(first, bench.ToPixels(image, 256, 256, frame, elsewhere.Address));
        Assert.Equal(1, bench.Finisher.FrameUploads);

        Assert.NotEqual(first, bench.ToPixels(image, 256, 256, new PictureFrame(FrameStyle.Ebony)));
        Assert.Equal(2, bench.Finisher.FrameUploads);
        Assert.Equal(first, bench.ToPixels(image, 256, 256, frame));
        Assert.Equal(3, bench.Finisher.FrameUploads);

        // What was given back is there again when it is wanted.
        bench.Finisher.Release();
        Assert.Equal(first, bench.ToPixels(image, 256, 256, frame));
        Assert.Equal(4, bench.Finisher.FrameUploads);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void ToPixels_OfAPictureThatIsNotFinite_GivesNone(float fault)
    {
        using Bench bench = packages.Open(Lowering.Portable);
        float[] image = Image(256, 256);
        image[^1] = fault;

        // Under the frame it counts all the same.
        Assert.Null(bench.ToPixels(image, 256, 256, new PictureFrame(FrameStyle.Gilded)));
    }

    [Fact]
    public async Task GenerateAsync_WithAFrame_PaintsThePictureThatItFrames()
    {
        var request = new PictureRequest { Prompt = "a starry night", Width = 264, Height = 256, Steps = 1, Seed = 3 };
        Picture bare = await test.Atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        Picture framed = await test.Atelier.GenerateAsync(
            request with { Frame = new PictureFrame(FrameStyle.Celadon, FramePlacement.Outside) },
            cancellationToken: TestContext.Current.CancellationToken);

        // A budget is planned with the frame, and again without it.
        Assert.Equal((null, framed.Request.Frame), (bare.Memory!.Plan.Request.Frame, framed.Memory!.Plan.Request.Frame));
        Assert.Equal((264, 256, 296, 288), (bare.Width, bare.Height, framed.Width, framed.Height));
        Assert.Equal(296 * 288 * 3, framed.Pixels.Length);
        Assert.Equal(bare.Latents.Span, framed.Latents.Span);
        for (int y = 0; y < 256; y++)
            Assert.Equal(bare.Pixels.Span.Slice(y * 264 * 3, 264 * 3), framed.Pixels.Span.Slice(((y + 16) * 296 + 16) * 3, 264 * 3));
        Picture again = await test.Atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(bare.Pixels.Span, again.Pixels.Span);
    }

    [Fact]
    public async Task GenerateAsync_WithAnUnknownFrame_ThrowsAndListsTheFrames()
    {
        var request = new PictureRequest { Prompt = "a starry night", Frame = new PictureFrame((FrameStyle)99) };

        FrameException refusal = await Assert.ThrowsAsync<FrameException>(() =>
            test.Atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("Gilded, Ebony, Celadon", refusal.Message, StringComparison.Ordinal);
    }

    // Everything that a decoder may give: all levels, halves between them, and numbers beyond the ends.
    private static float[] Image(int width, int height)
    {
        var random = new Random(5);
        float[] image = new float[3 * width * height];
        for (int i = 0; i < image.Length; i++) image[i] = (float)(random.NextDouble() * 2.2 - 1.1);
        return image;
    }

    /// <summary>The Miniature, exported for both kinds of device.</summary>
    public sealed class Packages : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Packages()
        {
            foreach (Lowering lowering in Enum.GetValues<Lowering>())
                CheckpointExporter.Export(TestAtelier.Checkpoint, Folder(lowering), new ExportOptions { Lowering = lowering });
        }

        internal Bench Open(Lowering lowering) => new(Folder(lowering));

        public void Dispose() => _folder.Dispose();

        private string Folder(Lowering lowering) => _folder[lowering.ToString()];
    }

    /// <summary>
    /// A finisher on the processor, whichever device the package is for: its graphs use no operator that a processor lacks.
    /// </summary>
    internal sealed class Bench : IDisposable
    {
        private readonly ModelPackage _package;
        private readonly SessionPool _sessions;

        public Bench(string folder)
        {
            _package = ModelPackage.Open(folder, verifyDigests: false, progress: null, CancellationToken.None);
            Backend backend = CpuBackend.Create();
            Device = backend.Open(_package, new AtelierOptions { Backend = backend });
            _sessions = new SessionPool(_package, Device);
            Finisher = new PostProcessor(_package, _sessions, Device);
        }

        public ExecutionDevice Device { get; }

        public PostProcessor Finisher { get; }

        public byte[]? ToPixels(float[] image, int width, int height, PictureFrame? frame, nint address = 0)
        {
            using RunOptions options = Device.CreateRunOptions();
            Finisher.Prepare(height / LatentGeometry.VaeScaleFactor, width / LatentGeometry.VaeScaleFactor, frame, address);
            using NativeBuffer host = Device.AllocateHost(image.Length * sizeof(float));
            image.CopyTo(host.AsSpan<float>());
            Finisher.Upload(host);
            using MemoryOwner<byte>? pixels = Finisher.ToPixels(options, CancellationToken.None);
            return pixels?.Span.ToArray();
        }

        public void Dispose()
        {
            Finisher.Dispose();
            _sessions.Dispose();
            Device.Dispose();
            _package.Dispose();
        }
    }
}

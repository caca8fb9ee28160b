using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;
using MuseAtelier.Upscaling;
using Planes = MuseAtelier.Tests.Upscaling.DirectUpscaler.Planes;

namespace MuseAtelier.Tests.Upscaling;

/// <summary>Upscalers with random weights, against a computation in double precision.</summary>
public sealed class UpscalerTests : IDisposable
{
    // The error of an element, in parts of the range of a picture.
    private const double AllowedError = 1e-4;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 2)]
    [InlineData(4, 1)]
    public async Task UpscaleAsync_WithARrdbNetwork_IsTheDirectComputation(int unshuffle, int scale)
    {
        RawCheckpoint weights = MadeUpUpscaler.Rrdb(unshuffle);
        byte[] pixels = MadeUpUpscaler.Picture(16, 12);
        Planes expected = new DirectUpscaler(weights).Rrdb(pixels, 16, 12, unshuffle);
        await using Upscaler upscaler = await OpenAsync(weights.Write(_folder["rrdb.safetensors"]));
        Assert.Equal((scale, UpscalerSpec.Rrdb, "rrdb"), (upscaler.Scale, upscaler.Architecture, upscaler.Name));
        AssertIs(expected, await upscaler.UpscaleAsync(new SourceImage(16, 12, pixels), cancellationToken: Stop));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task UpscaleAsync_WithACompactNetwork_IsTheDirectComputation(int scale)
    {
        RawCheckpoint weights = MadeUpUpscaler.Compact(scale);
        byte[] pixels = MadeUpUpscaler.Picture(15, 13);
        Planes expected = new DirectUpscaler(weights).Compact(pixels, 15, 13, scale);
        await using Upscaler upscaler = await OpenAsync(TorchWriter.Write(_folder["compact.pth"], weights, nested: "params"));
        Assert.Equal((scale, UpscalerSpec.Compact), (upscaler.Scale, upscaler.Architecture));
        AssertIs(expected, await upscaler.UpscaleAsync(new SourceImage(15, 13, pixels), cancellationToken: Stop));
    }

    [Fact]
    public async Task UpscaleAsync_UnderTheNamesAndFormatsOfOtherPrograms_GivesTheSameBytes()
    {
        var image = new SourceImage(16, 16, MadeUpUpscaler.Picture(16, 16));
        string[] files =
        [
            MadeUpUpscaler.Rrdb().Write(_folder["plain.safetensors"]),
            TorchWriter.Write(_folder["ema.pth"], MadeUpUpscaler.Rrdb(), nested: "params_ema"),
            TorchWriter.Write(_folder["numbered.pth"], MadeUpUpscaler.Numbered()),
            TorchWriter.WriteLegacy(_folder["legacy.pth"], MadeUpUpscaler.Numbered()),
            TorchWriter.Write(_folder["trunk.pth"], MadeUpUpscaler.Trunk(), nested: "state_dict"),
        ];
        byte[]? first = null;
        foreach (string file in files)
        {
            await using Upscaler upscaler = await OpenAsync(file);
            byte[] pixels = (await upscaler.UpscaleAsync(image, cancellationToken: Stop)).Pixels.ToArray();
            Assert.Equal(first ??= pixels, pixels);
        }
    }

    [Fact]
    public async Task UpscaleAsync_OfAPictureWithOpacity_EnlargesTheOpacity()
    {
        RawCheckpoint weights = MadeUpUpscaler.Compact(2);
        byte[] alpha = MadeUpUpscaler.Picture(6, 6, seed: 3)[..36];
        await using Upscaler upscaler = await OpenAsync(weights.Write(_folder["alpha.safetensors"]));
        SourceImage result = await upscaler.UpscaleAsync(
            new SourceImage(6, 6, MadeUpUpscaler.Picture(6, 6), alpha) { Name = "a.png" }, cancellationToken: Stop);
        byte[] grey = [.. alpha.SelectMany(value => Enumerable.Repeat(value, 3))];
        Planes expected = new DirectUpscaler(weights).Compact(grey, 6, 6, 2);
        Assert.Equal((12, 12, "a.png"), (result.Width, result.Height, result.Name));
        for (int i = 0; i < result.Alpha.Length; i++)
        {
            double[] weight = [0.299, 0.587, 0.114];
            double value = Enumerable.Range(0, 3).Sum(c => weight[c] * Math.Clamp(expected.At(c, i / 12, i % 12), 0, 1));
            Assert.InRange(result.Alpha.Span[i], 255 * value - 1.1, 255 * value + 1.1);
        }
    }

    [Fact]
    public async Task UpscaleAsync_Cancelled_StopsAndServesTheNextPicture()
    {
        await using Upscaler upscaler = await OpenAsync(MadeUpUpscaler.Compact().Write(_folder["stop.safetensors"]));
        var image = new SourceImage(600, 600, MadeUpUpscaler.Picture(600, 600));
        using var stop = new CancellationTokenSource();
        var progress = new Reports<double>(_ => stop.Cancel());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upscaler.UpscaleAsync(image, progress, stop.Token));
        Assert.Single(progress.All);
        var small = new SourceImage(8, 8, MadeUpUpscaler.Picture(8, 8));
        Assert.Equal(32, (await upscaler.UpscaleAsync(small, cancellationToken: Stop)).Width);
    }

    [Fact]
    public async Task OpenAsync_OfFilesThatAreNoUpscaler_NamesThem()
    {
        RawCheckpoint swin = new(), lacking = MadeUpUpscaler.Rrdb(), other = new();
        swin.SetSingles("layers.0.residual_group.blocks.0.norm1.weight", [1], 1);
        other.SetSingles("some.weight", [1], 1);
        lacking.Rename(name => name == "body.1.rdb2.conv3.bias" ? null : name);
        UpscalerKindException known =
            await Assert.ThrowsAsync<UpscalerKindException>(() => OpenAsync(swin.Write(_folder["a.safetensors"])));
        Assert.Equal("SwinIR", known.Kind);
        UpscalerKindException unknown =
            await Assert.ThrowsAsync<UpscalerKindException>(() => OpenAsync(other.Write(_folder["b.safetensors"])));
        Assert.Null(unknown.Kind);
        Assert.Contains("some.weight", unknown.Message, StringComparison.Ordinal);
        MissingTensorsException missing =
            await Assert.ThrowsAsync<MissingTensorsException>(() => OpenAsync(lacking.Write(_folder["c.safetensors"])));
        Assert.Contains("body.1.rdb2.conv3.bias", missing.Message, StringComparison.Ordinal);
        Assert.Contains("upscaler", missing.Message, StringComparison.Ordinal);
        // Its package is in the cache already.
        await Assert.ThrowsAsync<PackageKindException>(() => OpenAsync(NarrowAtelier.Checkpoint));
        await Assert.ThrowsAsync<CheckpointNotFoundException>(() => OpenAsync(_folder["none.pth"]));
    }

    [Fact]
    public async Task OpenAsync_OfAPackageOfTheOtherKind_IsRefused()
    {
        using ModelPackage package = TestAtelier.Options.OpenUpscaler(
            MadeUpUpscaler.Compact().Write(_folder["kind.safetensors"]), null, Stop);
        PackageKindException painter = await Assert.ThrowsAsync<PackageKindException>(
            () => Atelier.OpenAsync(package.Folder, TestAtelier.Options, cancellationToken: Stop));
        Assert.True(painter.IsUpscaler);
        await using Upscaler upscaler = await OpenAsync(package.Folder);
        Assert.Equal("kind", upscaler.Name);
        string miniature;
        using (ModelPackage painting = TestAtelier.Options.OpenPackage(NarrowAtelier.Checkpoint, null, Stop)) miniature = painting.Folder;
        Assert.False((await Assert.ThrowsAsync<PackageKindException>(() => OpenAsync(miniature))).IsUpscaler);
    }

    [Fact]
    public async Task OpenAsync_WithABudget_TakesSmallerTilesOrRefusesByType()
    {
        string file = MadeUpUpscaler.Rrdb().Write(_folder["budget.safetensors"]);
        long usual, small;
        await using (Upscaler upscaler = await OpenAsync(file)) usual = upscaler.WorkingBytes;
        DeviceProfile profile = TestAtelier.Options.Backend.Profile;
        long fixedBytes = profile.FixedBytes + profile.MarginBytes;
        AtelierOptions Of(long bytes) => TestAtelier.Options with { HostMemory = MemoryBudget.FromInt64(bytes) };
        await using (Upscaler upscaler = await Upscaler.OpenAsync(file, Of(fixedBytes + usual / 2), cancellationToken: Stop))
            small = upscaler.WorkingBytes;
        Assert.InRange(small, 1, usual / 2);
        UpscalerBudgetException refused = await Assert.ThrowsAsync<UpscalerBudgetException>(
            () => Upscaler.OpenAsync(file, Of(1 << 20), cancellationToken: Stop));
        await using Upscaler least = await Upscaler.OpenAsync(file, Of(refused.LeastBytes), cancellationToken: Stop);
        Assert.InRange(least.WorkingBytes, 1, small);
    }

    private static Task<Upscaler> OpenAsync(string file) => Upscaler.OpenAsync(file, TestAtelier.Options, cancellationToken: Stop);

    // A byte is the nearest one to the exact number, unless that lies within the allowed error of the middle between two.
    private static void AssertIs(Planes expected, SourceImage found)
    {
        Assert.Equal((expected.Width, expected.Height), (found.Width, found.Height));
        double largest = 0;
        for (int i = 0; i < found.Pixels.Length; i++)
        {
            (int pixel, int channel) = Math.DivRem(i, 3);
            double exact = 255 * Math.Clamp(expected.At(channel, pixel / found.Width, pixel % found.Width), 0, 1);
            largest = Math.Max(largest, Math.Abs(found.Pixels.Span[i] - exact) - 0.5);
        }

        Assert.InRange(largest / 255, double.NegativeInfinity, AllowedError);
        Assert.InRange(found.Pixels.ToArray().Distinct().Count(), 100, 256);
    }
}

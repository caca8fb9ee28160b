using CommunityToolkit.HighPerformance.Buffers;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;
using MuseAtelier.Upscaling;

namespace MuseAtelier.Tests.Upscaling;

public sealed class UpscaleTilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(63, 1)]
    [InlineData(64, 4)]
    [InlineData(65, 1)]
    [InlineData(65, 4)]
    [InlineData(96, 2)]
    [InlineData(97, 4)]
    [InlineData(1000, 4)]
    public void TileAxis_OfAnyLength_TakesEveryPixelOnceWithTheOverlapAround(int length, int multiple)
    {
        var tiling = new UpscaleTiling(64, 16);
        var axis = new TileAxis(length, tiling, multiple);
        Assert.Equal(0, axis.Side % multiple);
        int next = 0;
        for (int tile = 0; tile < axis.Starts.Count; tile++)
        {
            (int first, int end) = axis.Taken(tile);
            Assert.Equal(next, first);
            Assert.Equal(0, axis.Starts[tile] % multiple);
            Assert.True(end > first);
            Assert.True(first == 0 || first - axis.Starts[tile] >= tiling.Overlap);
            Assert.True(end == length || axis.Starts[tile] + axis.Side - end >= tiling.Overlap);
            next = end;
        }

        Assert.Equal(length, next);
        Assert.InRange(axis.Starts[^1] + axis.Side - length, 0, multiple - 1);
        Assert.All(Enumerable.Range(0, axis.Starts[^1] + axis.Side), position => Assert.InRange(axis.Source(position), 0, length - 1));
    }

    [Fact]
    public void Upscale_InTilesThatOverlapAsFarAsTheNetworkReaches_GivesTheWholePicture()
    {
        string file = MadeUpUpscaler.Compact().Write(_folder["tiles.safetensors"]);
        byte[] pixels = MadeUpUpscaler.Picture(101, 77);
        byte[] whole = Run(file, new UpscaleTiling(128, 4), pixels, out int one);
        byte[] tiled = Run(file, new UpscaleTiling(40, 4), pixels, out int many);
        Assert.Equal((1, 9), (one, many));
        // Sums of a tile may be in another order, which moves a number across the middle between two bytes.
        Assert.All(Enumerable.Range(0, whole.Length), i => Assert.InRange(Math.Abs(whole[i] - tiled[i]), 0, 1));
        Assert.InRange(whole.Zip(tiled).Count(pair => pair.First != pair.Second), 0, whole.Length / 1000);
    }

    [Fact]
    public void Upscale_OfEqualPictures_GivesEqualBytes()
    {
        string file = MadeUpUpscaler.Rrdb(unshuffle: 2).Write(_folder["equal.safetensors"]);
        byte[] pixels = MadeUpUpscaler.Picture(99, 35);
        var tiling = new UpscaleTiling(64, 16);
        byte[] first = Run(file, tiling, pixels, out int tiles, width: 99);
        Assert.Equal(3, tiles);
        Assert.Equal(first, Run(file, tiling, pixels, out _, width: 99));
        Assert.Equal(99 * 2 * 35 * 2 * 3, first.Length);
    }

    [Fact]
    public void Upscale_OfANetworkThatIsNotFinite_IsRefusedByType()
    {
        RawCheckpoint weights = MadeUpUpscaler.Compact(2);
        weights.SetSingles("body.0.bias", [.. Enumerable.Repeat(3e38f, 8)], 8);
        weights.SetSingles("body.1.weight", [.. Enumerable.Repeat(3e38f, 8)], 8);
        string file = weights.Write(_folder["infinite.safetensors"]);
        NotFiniteException refused = Assert.Throws<NotFiniteException>(
            () => Run(file, new UpscaleTiling(64, 16), MadeUpUpscaler.Picture(8, 8), out _, width: 8));
        Assert.Equal(ComponentNames.Upscaler, refused.Part);
    }

    private static byte[] Run(string file, UpscaleTiling tiling, byte[] pixels, out int tiles, int width = 101)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        AtelierOptions options = TestAtelier.Options;
        ModelPackage package = options.OpenUpscaler(file, null, stop);
        using ExecutionDevice device = options.Backend.Open(package, options, stop);
        using var runner = new UpscalerRunner(package, device, options, tiling);
        using RunOptions run = device.CreateRunOptions();
        int all = 0;
        using MemoryOwner<byte> result =
            runner.Upscale(pixels, width, pixels.Length / 3 / width, run, stop, (_, count) => all = count);
        tiles = all;
        Assert.Equal(all, runner.TilesOf(width, pixels.Length / 3 / width));
        return result.Span.ToArray();
    }
}

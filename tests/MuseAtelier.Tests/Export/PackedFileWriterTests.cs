using MuseAtelier.Export.Packaging;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Export;

public sealed class PackedFileWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(200_003)]
    public void PadTo_OfALaterPosition_WritesZerosThatTheDigestCovers(int position)
    {
        long written = 0;
        using var writer = new PackedFileWriter(_folder[""], "weights/a.weights", bytes => written += bytes);
        writer.Write([1, 2, 3]);
        writer.PadTo(position);
        writer.Write([4]);
        FileSpec spec = writer.Finish();
        byte[] expected = new byte[position + 1];
        (expected[0], expected[1], expected[2]) = (1, 2, 3);
        expected[position] = 4;
        Assert.Equal(new FileSpec("weights/a.weights", expected.Length, Sha256.Hash(expected)), spec);
        Assert.Equal(expected.Length, written);
        writer.Dispose();
        Assert.Equal(expected, File.ReadAllBytes(_folder["weights/a.weights"]));
    }

    [Fact]
    public void PadTo_OfAnEarlierPosition_Throws()
    {
        using var writer = new PackedFileWriter(_folder[""], "a", _ => { });
        writer.Write([1, 2, 3]);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.PadTo(2));
    }
}

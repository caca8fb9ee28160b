using System.Buffers;
using System.Diagnostics;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>What a codec may do, and what happens without one.</summary>
[Collection(nameof(OneAtATime))]
public sealed class PictureCodecsTests
{
    [Theory]
    [InlineData(PictureFormat.Png)]
    [InlineData(PictureFormat.WebP)]
    [InlineData((PictureFormat)99)]
    public void Register_OfABuiltInOrUnknownFormat_Throws(PictureFormat format) =>
        Assert.Throws<ArgumentException>(() => PictureCodecs.Register(new Failing(format)));

    [Fact]
    public void Write_WithACodecThatFails_SaysWhichAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        try
        {
            PictureCodecs.Register(new Failing(PictureFormat.Avif));
            PictureNotEncodedException failure = Assert.Throws<PictureNotEncodedException>(() =>
                PictureFile.Write(SamplePicture.Of(new PictureRequest { Prompt = "x" }), folder["a.avif"]));
            Assert.Contains("no memory for a picture", failure.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFileSystemEntries(folder[""]));
            string path = Path.Combine(GoldenFiles.Folder, "pictures-netvips", "night.avif");
            Assert.Throws<PictureDamagedException>(() => PictureFile.Read(path));
            Assert.Throws<PictureDamagedException>(() => Encoded.Pixels(path));
        }
        finally
        {
            MuseAtelier.Pictures.Avif.AvifCodec.Register();
        }
    }

    private sealed class Failing(PictureFormat format) : IPictureCodec
    {
        public PictureFormat Format => format;

        public void Encode(ReadOnlyMemory<byte> pixels, PictureHeader header, int quality, IBufferWriter<byte> file) =>
            throw new InvalidOperationException("no memory for a picture");

        public PictureHeader ReadHeader(ReadOnlyMemory<byte> file) => throw new InvalidOperationException("no header");

        public void Decode(ReadOnlyMemory<byte> file, Memory<byte> pixels) => throw new InvalidOperationException("no pixels");
    }
}

/// <summary>Tests that change, or look at, what the whole process shares.</summary>
[CollectionDefinition(nameof(OneAtATime), DisableParallelization = true)]
public sealed class OneAtATime;

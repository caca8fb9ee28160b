using System.Buffers;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Pictures to and from streams and memory.</summary>
public sealed class PictureStreamTests
{
    private static readonly Picture Night = SamplePicture.Of(new PictureRequest { Prompt = "a night, \u591c", NegativePrompt = "fog" });

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<PictureFormat> BuiltIn { get; } = [PictureFormat.Png, PictureFormat.Jpeg, PictureFormat.WebP];

    public static TheoryData<PictureFormat> All { get; } = [.. Enum.GetValues<PictureFormat>()];

    [Theory]
    [MemberData(nameof(All))]
    public async Task Encode_ToAFileAStreamAndMemory_GivesTheSameBytes(PictureFormat format)
    {
        using var folder = new TemporaryFolder();
        string path = folder[$"a.{format}"];
        var options = new PictureFileOptions { Metadata = MetadataLevel.Full, Quality = 80 };
        await PictureFile.WriteAsync(Night, path, options, Stop);
        byte[] file = await File.ReadAllBytesAsync(path, Stop);
        Assert.Equal(file, PictureFile.Encode(Night, format, options));
        var buffer = new ArrayBufferWriter<byte>();
        PictureFile.Encode(Night, buffer, format, options);
        Assert.Equal(file, buffer.WrittenSpan.ToArray());

        // A stream that has something already, and gets more later.
        using var stream = new MemoryStream();
        stream.WriteByte(1);
        PictureFile.Encode(Night, stream, format, options);
        Assert.Equal(1 + file.Length, stream.Position);
        stream.WriteByte(2);
        Assert.Equal([1, .. file, 2], stream.ToArray());

        await using var network = new NetworkStream([], isAsyncOnly: true);
        await PictureFile.EncodeAsync(Night, network, format, options, Stop);
        Assert.Equal(file, network.Written);
        Assert.False(network.IsDisposed);
    }

    [Fact]
    public void Encode_WithoutOptions_WritesWhatAFileHas()
    {
        using var folder = new TemporaryFolder();
        PictureFile.Write(Night, folder["a.webp"]);
        Assert.Equal(File.ReadAllBytes(folder["a.webp"]), PictureFile.Encode(Night, PictureFormat.WebP));
        byte[] bare = PictureFile.Encode(Night, PictureFormat.Png, new PictureEncodingOptions { Metadata = MetadataLevel.None });
        Assert.Empty(PictureFile.Read(bare).Texts);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Read_OfAStreamThatGivesOneByteAtATime_ReadsWhatTheFileHas(PictureFormat format)
    {
        byte[] file = PictureFile.Encode(Night, format);
        PictureFileContent expected = PictureFile.Read(file);
        Assert.Equal((format, 64, 48), (expected.Format, expected.Width, expected.Height));
        Assert.Equal(Night.Request, expected.ReadRecord().Request);
        Assert.Equal("the data", expected.Path);
        using DecodedPicture pixels = PictureFile.Decode(file);
        Assert.Equal((format, 64, 48, 64 * 48 * 3), (pixels.Format, pixels.Width, pixels.Height, pixels.Pixels.Length));
        if (format == PictureFormat.Png) Assert.Equal(Night.Pixels.Span, pixels.Pixels.Span);

        await using var network = new NetworkStream(file, isAsyncOnly: true);
        PictureFileContent content = await PictureFile.ReadAsync(network, Stop);
        Assert.Equal((expected.RecordJson, expected.Parameters, "the stream"), (content.RecordJson, content.Parameters, content.Path));
        Assert.Equal(file.Length, network.BytesRead);
        Assert.False(network.IsDisposed);
        Assert.Equal(expected.RecordJson, PictureFile.Read(new NetworkStream(file)).RecordJson);

        using DecodedPicture sync = PictureFile.Decode(new NetworkStream(file));
        using DecodedPicture async = await PictureFile.DecodeAsync(new NetworkStream(file, isAsyncOnly: true), Stop);
        Assert.Equal(pixels.Pixels.Span, sync.Pixels.Span);
        Assert.Equal(pixels.Pixels.Span, async.Pixels.Span);
    }

    [Fact]
    public async Task Read_FromTheMiddleOfAStream_BeginsThereAndLeavesItOpenAtItsEnd()
    {
        byte[] file = PictureFile.Encode(Night, PictureFormat.Png);
        using var stream = new MemoryStream([1, 2, 3, .. file]);
        stream.Position = 3;
        Assert.Equal(64, PictureFile.Read(stream).Width);
        Assert.Equal(stream.Length, stream.Position);
        stream.Position = 3;
        Assert.Equal(64, (await PictureFile.ReadAsync(stream, Stop)).Width);
        stream.Position = 3;
        using DecodedPicture decoded = PictureFile.Decode(stream);
        Assert.Equal(Night.Pixels.Span, decoded.Pixels.Span);
        Assert.Equal(stream.Length, stream.Position);
        // Memory that is a part of an array.
        using DecodedPicture part = PictureFile.Decode(stream.ToArray().AsMemory(3));
        Assert.Equal(Night.Pixels.Span, part.Pixels.Span);
    }

    [Theory]
    [MemberData(nameof(BuiltIn))]
    public async Task Decode_OfATruncatedStream_SaysThatTheStreamIsDamaged(PictureFormat format)
    {
        byte[] file = PictureFile.Encode(Night, format, new PictureEncodingOptions { Metadata = MetadataLevel.None });
        foreach (int length in (int[])[20, 30, file.Length / 2])
        {
            PictureFileException failure = await Assert.ThrowsAnyAsync<PictureFileException>(async () =>
            {
                using DecodedPicture decoded = await PictureFile.DecodeAsync(new NetworkStream(file[..length], 100), Stop);
                // A decoder may fill up what is missing at the end of the pixels.
                Assert.Equal((file.Length / 2, 64), (length, decoded.Width));
                throw new PictureDamagedException("the stream", "filled up");
            });
            Assert.Contains("the stream", failure.Message, StringComparison.Ordinal);
        }

        Assert.Contains("the data", Assert.ThrowsAny<PictureFileException>(() => PictureFile.Read(file.AsMemory(0, 20))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_OfWhatIsNoPicture_IsRefusedAfterTheFirstBytes()
    {
        await using var network = new NetworkStream(new byte[1000]);
        Assert.Equal("the stream is not a picture of a known format",
            (await Assert.ThrowsAsync<NotAPictureException>(() => PictureFile.ReadAsync(network, Stop))).Found);
        Assert.Equal(PictureFormats.BytesToDetect, network.BytesRead);
        Assert.Throws<NotAPictureException>(() => PictureFile.Read(new MemoryStream()));
        Assert.Throws<NotAPictureException>(() => PictureFile.Decode(new NetworkStream([0x89, (byte)'P'])));
        Assert.Throws<NotAPictureException>(() => PictureFile.Decode(ReadOnlyMemory<byte>.Empty));
    }

    [Fact]
    public async Task Read_OfAStreamThatIsTooLong_IsRefusedBeforeItIsInMemory()
    {
        // A file with a hole: its length is known, and none of it is read.
        using var folder = new TemporaryFolder();
        await using (FileStream hole = File.Create(folder["hole.png"]))
        {
            await hole.WriteAsync(PictureFile.Encode(Night, PictureFormat.Png), Stop);
            hole.SetLength(PictureInput.MostBytes + 1L);
            hole.Position = 0;
            Assert.Throws<PictureTooLargeException>(() => PictureFile.Read(hole));
            await Assert.ThrowsAsync<PictureTooLargeException>(() => PictureFile.DecodeAsync(hole, Stop));
            Assert.Equal(0, hole.Position);
        }

        // A stream of unknown length is read up to the limit.
        byte[] file = PictureFile.Encode(Night, PictureFormat.Png);
        using (PictureInput exact = StreamIntake.Read(new NetworkStream(file, 100), file.Length))
            Assert.Equal(file, exact.ToMemory().ToArray());
        await using var longer = new NetworkStream([.. file, 0, 0, 0], 100);
        string message = (await Assert.ThrowsAsync<PictureTooLargeException>(() =>
            StreamIntake.ReadAsync(longer, Stop, file.Length))).Message;
        Assert.Contains("the stream is too large: it has more than the", message, StringComparison.Ordinal);
        Assert.Equal(file.Length + 1, longer.BytesRead);
    }

    [Fact]
    public async Task ReadAsync_ThatIsCancelled_StopsAndLeavesTheStreamOpen()
    {
        byte[] file = PictureFile.Encode(Night, PictureFormat.Png);
        using var cancellation = new CancellationTokenSource();
        await using var network = new NetworkStream(file, 100)
        {
            BeforeRead = read =>
            {
                if (read >= 300) cancellation.Cancel();
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PictureFile.DecodeAsync(network, cancellation.Token));
        Assert.Equal(400, network.BytesRead);
        Assert.False(network.IsDisposed);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PictureFile.ReadAsync(network, cancellation.Token));
        Assert.Equal(400, network.BytesRead);
    }

    [Fact]
    public async Task EncodeAsync_ThatIsCancelled_WritesNothing()
    {
        using var folder = new TemporaryFolder();
        var cancelled = new CancellationToken(canceled: true);
        await using var network = new NetworkStream([]);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            PictureFile.EncodeAsync(Night, network, PictureFormat.Png, null, cancelled));
        Assert.Empty(network.Written);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            PictureFile.WriteAsync(Night, folder["a.png"], null, cancelled));
        Assert.Empty(Directory.GetFileSystemEntries(folder[""]));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PictureFile.DecodeAsync(folder["a.png"], cancelled));
    }

    [Fact]
    public async Task ReadAsync_OfAStreamThatFails_PassesItsExceptionOn()
    {
        await using var network = new NetworkStream(PictureFile.Encode(Night, PictureFormat.Png), 100)
        {
            BeforeRead = read =>
            {
                if (read >= 300) throw new IOException("the connection was lost");
            },
        };
        Assert.Equal("the connection was lost",
            (await Assert.ThrowsAsync<IOException>(() => PictureFile.ReadAsync(network, Stop))).Message);
    }

    [Fact]
    public async Task Encode_WithArgumentsOutOfRange_Throws()
    {
        var options = new PictureEncodingOptions { Quality = 101 };
        Assert.Throws<ArgumentOutOfRangeException>(() => PictureFile.Encode(Night, PictureFormat.Jpeg, options));
        Assert.Throws<ArgumentOutOfRangeException>(() => PictureFile.Encode(Night, (PictureFormat)99));
        using var readOnly = new MemoryStream([], writable: false);
        await Assert.ThrowsAsync<ArgumentException>(() => PictureFile.EncodeAsync(Night, readOnly, PictureFormat.Png, null, Stop));
        using var closed = new MemoryStream();
        closed.Close();
        Assert.Throws<ArgumentException>(() => PictureFile.Read(closed));
    }

    [Fact]
    public void Encode_OfMetadataThatDoesNotFit_WritesNothing()
    {
        Picture picture = SamplePicture.Of(new PictureRequest { Prompt = new string('x', 70_000) });
        using var stream = new MemoryStream();
        string message = Assert.Throws<PictureMetadataTooLargeException>(() =>
            PictureFile.Encode(picture, stream, PictureFormat.Jpeg)).Message;
        Assert.Contains("the EXIF of the picture takes", message, StringComparison.Ordinal);
        Assert.Equal(0, stream.Length);
    }

    [Theory]
    [InlineData(PictureFormat.Png, "image/png")]
    [InlineData(PictureFormat.Jpeg, "image/jpeg")]
    [InlineData(PictureFormat.WebP, "image/webp")]
    [InlineData(PictureFormat.Avif, "image/avif")]
    public void Detect_OfEachFormat_TellsItFromItsFirstBytes(PictureFormat format, string mediaType)
    {
        byte[] file = PictureFile.Encode(Night, format);
        Assert.Equal(format, PictureFormats.Detect(file.AsSpan(0, PictureFormats.BytesToDetect)));
        Assert.Equal(mediaType, PictureFormats.MediaType(format));
        Assert.Null(PictureFormats.Detect(file.AsSpan(1)));
    }
}

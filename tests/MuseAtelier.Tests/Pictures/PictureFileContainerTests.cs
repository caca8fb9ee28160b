using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Tests.Checkpoints;
using NetVips;

namespace MuseAtelier.Tests.Pictures;

/// <summary>What other programs put into PNG, JPEG and WebP files: what is left out, what is told, what is refused.</summary>
public sealed class PictureFileContainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> BadChunks => ["checksum", "unknown", "keyword", "cut", "packed", "profile", "exif"];

    // One chunk that pixels do not need: the picture is sound, its other texts are read, and what was left out is said.
    [Theory]
    [MemberData(nameof(BadChunks))]
    public void Read_OfAPngWithOneBadChunk_LeavesItOutWithANotice(string kind)
    {
        PngChunk bad = kind switch
        {
            "checksum" => PngChunk.Text("parameters", "bad"),
            "unknown" => new PngChunk("QuRk", new byte[5]),
            "keyword" => new PngChunk("tEXt", Encoding.ASCII.GetBytes("no keyword here")),
            "cut" => new PngChunk("iTXt", "parameters\0\0\0en"u8.ToArray()),
            "packed" => new PngChunk("zTXt", "parameters\0\0no zlib"u8.ToArray()),
            "profile" => new PngChunk("iCCP", "name\0\0no zlib"u8.ToArray()),
            _ => new PngChunk("eXIf", "no TIFF"u8.ToArray()),
        };
        byte[] file = Encoded.Png(Plain("png"), [bad, PngChunk.Text("parameters", "good\nSteps: 3")]);
        if (kind == "checksum") file[file.AsSpan().IndexOf("bad"u8)] ^= 1;
        string path = _folder.Write("a.png", file);
        PictureFileContent content = PictureFile.Read(path);
        Assert.Equal("good\nSteps: 3", content.Parameters);
        Assert.Single(content.Notices);
        Assert.Equal(Encoded.Pixels(_folder.Write("plain.png", Plain("png"))).Pixels, Encoded.Pixels(path).Pixels);
    }

    [Fact]
    public void Read_OfAPngWithABrokenHeaderOrPixels_ThrowsDamagedException()
    {
        byte[] header = Plain("png"), pixels = Plain("png");
        header[17] ^= 1;
        Assert.Throws<PictureDamagedException>(() => PictureFile.Read(_folder.Write("a.png", header)));
        pixels[pixels.AsSpan().IndexOf("IDAT"u8) + 20] ^= 0xFF;
        string path = _folder.Write("b.png", pixels);
        PictureFile.Read(path);
        Assert.Throws<PictureDamagedException>(() => Encoded.Pixels(path));
    }

    [Theory]
    [InlineData("夜空 🌌\nSteps: 3")]
    [InlineData("café\nSteps: 3")]
    public void Read_OfUtf8WherePngAsksForLatin1_ReadsIt(string text)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write(Encoding.UTF8.GetBytes(text));
        PngChunk plain = new("tEXt", (byte[])[.. "parameters\0"u8, .. Encoding.UTF8.GetBytes(text)]);
        PngChunk deflated = new("zTXt", (byte[])[.. "parameters\0\0"u8, .. packed.ToArray()]);
        foreach (PngChunk chunk in (PngChunk[])[plain, deflated])
            Assert.Equal(text, PictureFile.Read(_folder.Write("a.png", Encoded.Png(Plain("png"), [chunk]))).Parameters);
        if (text.All(letter => letter <= '\u00FF'))
        {
            PngChunk latin = new("tEXt", (byte[])[.. "parameters\0"u8, .. Encoding.Latin1.GetBytes(text)]);
            Assert.Equal(text, PictureFile.Read(_folder.Write("a.png", Encoded.Png(Plain("png"), [latin]))).Parameters);
        }
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    public void Read_OfATurnedPicture_GivesTheOrientationWithANotice(string extension)
    {
        byte[] exif = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        PictureFileContent content = PictureFile.Read(_folder.Write($"a.{extension}", With(extension, exif: exif)));
        Assert.Equal(6, content.Orientation);
        Assert.Contains("orientation 6", Assert.Single(content.Notices), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    public void Read_OfAProfile_SaysWhichUnlessItIsSrgb(string extension)
    {
        // libvips' small profile of Display P3 has this name.
        Assert.Contains("(sP3C)", Assert.Single(PictureFile.Read(Profiled(extension, "p3")).Notices), StringComparison.Ordinal);
        Assert.Empty(PictureFile.Read(Profiled(extension, "srgb")).Notices);
        Assert.Equal(Encoded.Pixels(_folder.Write($"plain.{extension}", Plain(extension))).Pixels.Length,
            Encoded.Pixels(Profiled(extension, "p3")).Pixels.Length);
    }

    [Fact]
    public void ReadPixels_OfCmyk_ReadsThemByThePlainFormulaWithANotice()
    {
        // Full cyan and half black: red 0, green and blue 127.
        using Image cmyk = (Image.Black(32, 32, 4) + (double[])[255, 0, 0, 128]).Cast(Enums.BandFormat.Uchar).Copy(
            interpretation: Enums.Interpretation.Cmyk);
        string path = _folder.Write("a.jpg", cmyk.JpegsaveBuffer(q: 100, keep: Enums.ForeignKeep.None));
        Assert.Contains("CMYK", Assert.Single(PictureFile.Read(path).Notices), StringComparison.Ordinal);
        (int width, _, byte[] pixels) = Encoded.Pixels(path);
        Assert.Equal(32, width);
        Assert.InRange(pixels[0], 0, 3);
        Assert.InRange(pixels[1], 124, 130);
        Assert.InRange(pixels[2], 124, 130);
    }

    [Theory]
    [InlineData(".png")]
    [InlineData(".webp")]
    public void ReadPixels_OfTransparentPixels_LaysThemOnBlack(string suffix)
    {
        using Image rgba = (Image.Black(16, 16, 4) + (double[])[200, 100, 50, 128]).Cast(Enums.BandFormat.Uchar).Copy(
            interpretation: Enums.Interpretation.Srgb);
        foreach (bool isLossless in (bool[])[true, false])
        {
            byte[] file = suffix == ".png" ? rgba.PngsaveBuffer() : rgba.WebpsaveBuffer(lossless: isLossless, q: 100);
            (_, _, byte[] pixels) = Encoded.Pixels(_folder.Write("a" + suffix, file));
            Assert.Equal(16 * 16 * 3, pixels.Length);
            Assert.InRange(pixels[0], 95, 105);
            Assert.InRange(pixels[1], 45, 55);
            Assert.InRange(pixels[2], 20, 30);
        }
    }

    [Fact]
    public void ReadPixels_OfMoreThanIsRead_IsRefusedBeforeAnythingIsDecoded()
    {
        byte[] png = Plain("png");
        Bend(png.AsSpan(16), 20_000, 20_000);
        Assert.Throws<PictureTooLargeException>(() => Encoded.Pixels(_folder.Write("bomb.png", png)));
        // Within the limit, and more than its bytes can hold.
        Bend(png.AsSpan(16), 7000, 9000);
        Assert.Contains("cannot hold",
            Assert.Throws<PictureDamagedException>(() => Encoded.Pixels(_folder.Write("hollow.png", png))).Message,
            StringComparison.Ordinal);
        byte[] jpeg = Plain("jpg");
        int frame = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), 65_000);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), 65_000);
        Assert.Throws<PictureTooLargeException>(() => Encoded.Pixels(_folder.Write("bomb.jpg", jpeg)));
        byte[] webp = Plain("webp");
        BinaryPrimitives.WriteUInt16LittleEndian(webp.AsSpan(26), 16_000);
        BinaryPrimitives.WriteUInt16LittleEndian(webp.AsSpan(28), 16_000);
        Assert.Throws<PictureTooLargeException>(() => Encoded.Pixels(_folder.Write("bomb.webp", webp)));

        static void Bend(Span<byte> header, int width, int height)
        {
            BinaryPrimitives.WriteInt32BigEndian(header, width);
            BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
            var crc = new System.IO.Hashing.Crc32();
            crc.Append("IHDR"u8);
            crc.Append(header[..13]);
            BinaryPrimitives.WriteUInt32BigEndian(header[13..], crc.GetCurrentHashAsUInt32());
        }
    }

    [Fact]
    public void ReadPixels_OfAnAnimation_SaysThatItIsOne()
    {
        using Image frame = Image.Black(16, 16, 3).Cast(Enums.BandFormat.Uchar).Copy(interpretation: Enums.Interpretation.Srgb);
        using Image both = Image.Arrayjoin([frame, frame + 100], across: 1).Cast(Enums.BandFormat.Uchar).Mutate(image =>
            image.Set(GValue.GIntType, "page-height", 16));
        string path = _folder.Write("a.webp", both.WebpsaveBuffer());
        Assert.Equal((16, 16), (PictureFile.Read(path).Width, PictureFile.Read(path).Height));
        Assert.Contains("animation", Assert.Throws<PictureUnsupportedException>(() => Encoded.Pixels(path)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Write_OfWebP_StatesItsSizeRight(int letters)
    {
        // EXIF of odd and even lengths.
        string path = _folder["a.webp"];
        PictureFile.Write(SamplePicture.Of(new PictureRequest { Prompt = new string('x', letters) }), path);
        byte[] file = File.ReadAllBytes(path);
        Assert.Equal(file.Length - 8, BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(4)));
        int at = 12;
        List<string> chunks = [];
        for (; at < file.Length; at += 8 + (BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at + 4)) + 1) / 2 * 2)
            chunks.Add(Encoding.ASCII.GetString(file, at, 4));
        Assert.Equal(file.Length, at);
        Assert.Equal(["VP8X", "VP8 ", "EXIF", "XMP "], chunks);
        using Image image = Image.NewFromBuffer(file);
        Assert.True(image.Contains("exif-data") && image.Contains("xmp-data"));
    }

    private static byte[] Plain(string extension) => With(extension, []);

    private static byte[] With(string extension, byte[] exif)
    {
        Picture picture = SamplePicture.Of(new PictureRequest { Prompt = "x" });
        PictureFormat format = PictureFormats.Of("a." + extension);
        byte[] plain = Encoded.Picture("a", picture.Pixels, 64, 48,
            new RecordedEncoding(format, PictureFormats.DefaultQuality(format)), new(null, null, null));
        return format switch
        {
            PictureFormat.Png => exif.Length == 0 ? plain : Encoded.Png(plain, [new PngChunk("eXIf", exif)]),
            PictureFormat.Jpeg => Encoded.Jpeg(plain, exif, []),
            _ => Encoded.WebP(plain, 64, 48, exif, []),
        };
    }

    private string Profiled(string extension, string profile)
    {
        using Image plain = Image.Black(64, 48, 3).Cast(Enums.BandFormat.Uchar).Copy(interpretation: Enums.Interpretation.Srgb);
        using Image image = plain.IccTransform(profile, inputProfile: "srgb");
        return _folder.Write($"{profile}.{extension}", image.WriteToBuffer("." + extension));
    }
}

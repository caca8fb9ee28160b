using System.Buffers.Binary;
using System.IO.Hashing;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Pictures;
using NetVips;

namespace MuseAtelier.Tests.SourceImages;

/// <summary>Files that pictures are painted from, and masks: written by libvips, read by this project.</summary>
public sealed class SourceFileTests : IDisposable
{
    private const int Width = 24, Height = 16;

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, int> Orientations
    {
        get
        {
            TheoryData<string, int> all = [];
            foreach (string extension in (string[])["png", "jpg", "webp"])
                for (int orientation = 1; orientation <= 8; orientation++) all.Add(extension, orientation);
            return all;
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Orientations))]
    public async Task LoadAsync_OfAnOrientation_TurnsThePictureUpright(string extension, int orientation)
    {
        byte[] exif = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];
        byte[] plain = Encode(Colours(), extension);
        byte[] turned = extension switch
        {
            "png" => Encoded.Png(plain, [new PngChunk("eXIf", exif)]),
            "jpg" => Encoded.Jpeg(plain, exif, []),
            _ => Encoded.WebP(plain, Width, Height, exif, []),
        };
        SourceImage stored = await Load(plain), upright = await Load(turned);
        using Image raw = Image.NewFromMemory(stored.Pixels, Width, Height, 3, Enums.BandFormat.Uchar);
        using Image marked = raw.Mutate(mutable => mutable.Set(GValue.GIntType, "orientation", orientation));
        using Image expected = marked.Autorot();
        Assert.Equal((expected.Width, expected.Height), (upright.Width, upright.Height));
        Assert.Equal(expected.WriteToMemory<byte>(), upright.Pixels.ToArray());
        Assert.Empty(upright.Notices);
    }

    [Fact]
    public async Task LoadAsync_OfATurnedPictureWithOpacity_TurnsTheOpacityToo()
    {
        byte[] exif = [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
        using Image rgba = Colours().Bandjoin(Ramp()).Copy(interpretation: Enums.Interpretation.Srgb);
        SourceImage image = await Load(Encoded.Png(rgba.PngsaveBuffer(), [new PngChunk("eXIf", exif)]));
        Assert.Equal((Height, Width), (image.Width, image.Height));
        // The lower left pixel comes to the upper left, and the first column to the first row.
        Assert.Equal(Ramp().WriteToMemory<byte>()[(Height - 1) * Width], image.Alpha.Span[0]);
        Assert.Equal(Ramp().WriteToMemory<byte>()[0], image.Alpha.Span[Height - 1]);
    }

    [Fact]
    public async Task LoadAsync_OfAFile_TakesNameAndDigest()
    {
        string path = _folder.Write("a photo.png", Encode(Colours(), "png"));
        SourceImage image = await SourceFile.LoadAsync(path, cancellationToken: Stop);
        Assert.Equal("a photo.png", image.Name);
        Assert.Equal(Colours().WriteToMemory<byte>(), image.Pixels.ToArray());
        SourceImage other = await Load(Encode(Colours(), "png"));
        Assert.Equal(image, other);
        Assert.Null(other.Name);
        Assert.Equal("b.png", (await SourceFile.LoadAsync(path, new SourceFileOptions { Name = "b.png" }, Stop)).Name);
    }

    [Fact]
    public async Task LoadAsync_OfOtherKindsOfPng_ReadsEightBitsOfColour()
    {
        byte[] grey = Ramp().WriteToMemory<byte>(), colours = Colours().WriteToMemory<byte>();
        // 257 times a value of 8 bits is the same share of 16 bits.
        using Image deep = (Colours().Cast(Enums.BandFormat.Ushort) * 257).Cast(Enums.BandFormat.Ushort)
            .Copy(interpretation: Enums.Interpretation.Rgb16);
        Assert.Equal(colours, (await Load(deep.PngsaveBuffer(bitdepth: 16))).Pixels.ToArray());
        SourceImage single = await Load(Ramp().PngsaveBuffer());
        Assert.Equal(grey.SelectMany(value => (byte[])[value, value, value]), single.Pixels.ToArray());
        Assert.True(single.Alpha.IsEmpty);
        using Image two = Ramp().Bandjoin(Ramp()).Copy(interpretation: Enums.Interpretation.Bw);
        Assert.Equal(grey, (await Load(two.PngsaveBuffer())).Alpha.ToArray());
        using Image flat = (Image.Black(Width, Height, 3) + (double[])[10, 200, 30]).Cast(Enums.BandFormat.Uchar)
            .Copy(interpretation: Enums.Interpretation.Srgb);
        SourceImage palette = await Load(flat.PngsaveBuffer(palette: true, q: 100));
        Assert.Equal<byte>([10, 200, 30], palette.Pixels.ToArray()[..3]);
        using Image opaque = Colours().Bandjoin(255);
        Assert.True((await Load(opaque.PngsaveBuffer())).Alpha.IsEmpty);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("webp")]
    public async Task LoadAsync_OfOpacity_KeepsItAndTheColoursUnderIt(string extension)
    {
        using Image rgba = Colours().Bandjoin(Ramp()).Copy(interpretation: Enums.Interpretation.Srgb);
        byte[] file = extension == "png" ? rgba.PngsaveBuffer() : rgba.WebpsaveBuffer(lossless: true, exact: true);
        SourceImage image = await Load(file);
        Assert.Equal(Ramp().WriteToMemory<byte>(), image.Alpha.ToArray());
        Assert.Equal(Colours().WriteToMemory<byte>(), image.Pixels.ToArray());
    }

    [Fact]
    public async Task LoadAsync_OfCmyk_ConvertsItByThePlainFormulaWithANotice()
    {
        // 20 % cyan, 40 % magenta, no yellow, half black.
        SourceImage image = await Load(Cmyk(51, 102, 0, 128));
        Assert.Contains("CMYK", Assert.Single(image.Notices), StringComparison.Ordinal);
        AssertNear([204 * 127 / 255, 153 * 127 / 255, 127], image);
        // The same in YCCK, by the transform that Adobe's marker states: luminance and chrominance of the inks' complements, and black.
        (double red, double green, double blue) = (51, 102, 0);
        double y = 0.299 * red + 0.587 * green + 0.114 * blue;
        double cb = (blue - y) / 1.772 + 128, cr = (red - y) / 1.402 + 128;
        // The encoder inverts what it stores, as Adobe does.
        byte[] ycck = Cmyk(255 - y, 255 - cb, 255 - cr, 128);
        int adobe = ycck.AsSpan().IndexOf("Adobe"u8);
        ycck[adobe + 11] = 2;
        SourceImage second = await Load(ycck);
        AssertNear([204 * 127 / 255, 153 * 127 / 255, 127], second);
        Assert.Contains("CMYK", Assert.Single(second.Notices), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    public async Task LoadAsync_OfAProfile_SaysThatItIsNotAppliedUnlessItIsSrgb(string extension)
    {
        using Image colours = Colours();
        using Image p3 = colours.IccTransform("p3", inputProfile: "srgb"), srgb = colours.IccTransform("srgb", inputProfile: "srgb");
        string path = _folder.Write("a." + extension, Encode(p3, extension, Enums.ForeignKeep.Icc));
        string notice = Assert.Single((await SourceFile.LoadAsync(path, cancellationToken: Stop)).Notices);
        Assert.StartsWith($"the source a.{extension}: its ICC profile (sP3C)", notice, StringComparison.Ordinal);
        Assert.StartsWith("the mask", Assert.Single((await SourceFile.LoadMaskAsync(path, cancellationToken: Stop)).Notices),
            StringComparison.Ordinal);
        Assert.Empty((await Load(Encode(srgb, extension, Enums.ForeignKeep.Icc))).Notices);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    public async Task LoadAsync_OfATruncatedFile_SaysDamaged(string extension)
    {
        byte[] file = Encode(Colours(), extension);
        foreach (int length in (int[])[30, file.Length / 2, file.Length - 30, file.Length - 2])
            await Assert.ThrowsAsync<PictureDamagedException>(() => Load(file[..length]));
    }

    [Fact]
    public async Task LoadAsync_OfWhatIsNoPicture_SaysSo()
    {
        await Assert.ThrowsAsync<NotAPictureException>(() => Load("This is a text, and no picture."u8.ToArray()));
        await Assert.ThrowsAsync<NotAPictureException>(() => Load([]));
        await Assert.ThrowsAsync<PictureNotFoundException>(() => SourceFile.LoadAsync(_folder["none.png"], cancellationToken: Stop));
        await Assert.ThrowsAsync<NotAPictureException>(
            () => SourceFile.LoadMaskAsync(_folder.Write("a.png", new byte[100]), cancellationToken: Stop));
    }

    [Theory]
    [InlineData(20_000, 20_000, typeof(PictureTooLargeException))]
    [InlineData(int.MaxValue, int.MaxValue, typeof(PictureTooLargeException))]
    [InlineData(8000, 8000, typeof(PictureDamagedException))]
    [InlineData(0, 8000, typeof(PictureDamagedException))]
    public async Task LoadAsync_OfABomb_IsRefusedByItsHeader(int width, int height, Type type)
    {
        byte[] png = WithSize(Encode(Colours(), "png"), width, height);
        Exception failure = await Assert.ThrowsAsync(type, () => Load(png));
        if (width == 20_000) Assert.Contains("it states 20000x20000 px", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    public async Task LoadAsync_OfChangedBytes_ReadsAPictureOrSaysWhyNot(string extension)
    {
        var random = new Random(19);
        for (int run = 0; run < 200; run++)
        {
            byte[] file = Encode(Colours(), extension);
            for (int change = 0; change < 3; change++) file[random.Next(file.Length)] = (byte)random.Next(256);
            Exception? failure = await Record.ExceptionAsync(() => Load(file));
            Assert.True(failure is null or PictureFileException, $"run {run}: {failure}");
        }
    }

    [Fact]
    public async Task LoadAsync_OfOnePixel_ReadsIt()
    {
        using Image pixel = (Image.Black(1, 1, 3) + (double[])[1, 2, 3]).Cast(Enums.BandFormat.Uchar)
            .Copy(interpretation: Enums.Interpretation.Srgb);
        SourceImage image = await Load(pixel.PngsaveBuffer());
        Assert.Equal<byte>([1, 2, 3], image.Pixels.ToArray());
    }

    [Fact]
    public async Task LoadMaskAsync_OfAnOpaquePicture_IsItsLuminance()
    {
        MaskImage grey = await LoadMask(Ramp().PngsaveBuffer());
        Assert.Equal(Ramp().WriteToMemory<byte>(), grey.Pixels.ToArray());
        using Image red = (Image.Black(4, 4, 3) + (double[])[255, 0, 0]).Cast(Enums.BandFormat.Uchar)
            .Copy(interpretation: Enums.Interpretation.Srgb);
        Assert.Equal(76, (await LoadMask(red.PngsaveBuffer())).Pixels.Span[0]);
    }

    [Theory]
    [InlineData(255, 255, 255)]
    [InlineData(0, 0, 0)]
    [InlineData(200, 30, 30)]
    public async Task LoadMaskAsync_OfStrokesOfOneColour_IsTheirOpacity(int red, int green, int blue)
    {
        // The empty canvas has another colour, which is not seen.
        using Image alpha = Ramp(), isSeen = alpha > 0;
        using Image strokes = isSeen.Ifthenelse((double[])[red, green, blue], (double[])[0, 9, 0]).Bandjoin(alpha)
            .Cast(Enums.BandFormat.Uchar).Copy(interpretation: Enums.Interpretation.Srgb);
        Assert.Equal(alpha.WriteToMemory<byte>(), (await LoadMask(strokes.PngsaveBuffer())).Pixels.ToArray());
    }

    [Fact]
    public async Task LoadMaskAsync_OfBlackAndWhiteOnAnEmptyCanvas_IsTheLuminanceOnBlack()
    {
        byte[] rgba = [255, 255, 255, 255, 0, 0, 0, 255, 255, 255, 255, 0, 255, 255, 255, 128];
        using Image image = Image.NewFromMemory(rgba, 4, 1, 4, Enums.BandFormat.Uchar);
        using Image colours = image.Copy(interpretation: Enums.Interpretation.Srgb);
        MaskImage mask = await LoadMask(colours.PngsaveBuffer());
        Assert.Equal<byte>([255, 0, 0, 128], mask.Pixels.ToArray());
    }

    [Fact]
    public async Task LoadMaskAsync_OfALossyFile_HasBlackAndWhite()
    {
        using Image disc = (Image.Xyz(64, 64).ExtractBand(0) > 30).Cast(Enums.BandFormat.Uchar);
        foreach (byte[] file in (byte[][])[disc.JpegsaveBuffer(q: 90), disc.WebpsaveBuffer(q: 90)])
        {
            byte[] mask = (await LoadMask(file)).Pixels.ToArray();
            Assert.Equal((0, 255), (mask[5], mask[60]));
        }
    }

    private static Image Ramp() => (Image.Xyz(Width, Height).ExtractBand(0) * 7 + Image.Xyz(Width, Height).ExtractBand(1) * 5)
        .Cast(Enums.BandFormat.Uchar).Copy(interpretation: Enums.Interpretation.Bw);

    private static Image Colours()
    {
        Image place = Image.Xyz(Width, Height);
        Image x = place.ExtractBand(0) * 10, y = place.ExtractBand(1) * 15;
        return x.Bandjoin(y, 255 - x).Cast(Enums.BandFormat.Uchar).Copy(interpretation: Enums.Interpretation.Srgb);
    }

    private static byte[] Encode(Image image, string extension, Enums.ForeignKeep keep = Enums.ForeignKeep.None) => extension switch
    {
        "png" => image.PngsaveBuffer(keep: keep),
        "jpg" => image.JpegsaveBuffer(q: 95, keep: keep),
        _ => image.WebpsaveBuffer(q: 95, keep: keep),
    };

    private static byte[] Cmyk(double cyan, double magenta, double yellow, double black)
    {
        using Image cmyk = (Image.Black(32, 32, 4) + (double[])[cyan, magenta, yellow, black]).Cast(Enums.BandFormat.Uchar)
            .Copy(interpretation: Enums.Interpretation.Cmyk);
        return cmyk.JpegsaveBuffer(q: 100, keep: Enums.ForeignKeep.None);
    }

    private static byte[] WithSize(byte[] png, int width, int height)
    {
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc32.HashToUInt32(png.AsSpan(12, 17)));
        return png;
    }

    private static void AssertNear(int[] colour, SourceImage image)
    {
        for (int channel = 0; channel < 3; channel++)
            Assert.InRange(image.Pixels.Span[channel], colour[channel] - 4, colour[channel] + 4);
    }

    private static Task<SourceImage> Load(byte[] file) => SourceFile.LoadAsync(new MemoryStream(file), cancellationToken: Stop);

    private static Task<MaskImage> LoadMask(byte[] file) => SourceFile.LoadMaskAsync(new MemoryStream(file), cancellationToken: Stop);
}

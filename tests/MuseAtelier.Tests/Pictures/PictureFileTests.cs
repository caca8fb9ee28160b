using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

public sealed class PictureFileTests
{
    private static readonly string LongEmoji = string.Concat(Enumerable.Repeat("🌌", 5000)), LongHan = new('夜', 10_000);

    public static TheoryData<string, string> HardPrompts
    {
        get
        {
            string[] prompts =
            [
                "café at night",
                "line\nbreak\r\nand\ttab",
                "\"quotes\", 'single', back\\slash, <b>&amp;",
                "夜空 🌌 𝔐use",
                "",
                "Steps: 3, Sampler: x, CFG scale: 7",
                "control \u0001\u001f\u0085 end",
                LongEmoji,
                LongHan,
            ];
            var data = new TheoryData<string, string>();
            foreach (string extension in (string[])["png", "jpg", "webp", "avif"])
                foreach (string prompt in prompts) data.Add(extension, prompt);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(HardPrompts))]
    public void Write_OfAnyPrompt_RoundTripsInTheRecord(string extension, string prompt)
    {
        using var folder = new TemporaryFolder();
        string path = folder[$"picture.{extension}"];
        var request = new PictureRequest
        {
            Prompt = prompt,
            NegativePrompt = "fog, \"mist\"",
            Seed = ulong.MaxValue,
            Steps = 30,
            GuidanceScale = 7.1f,
            Frame = new PictureFrame(FrameStyle.Ebony),
        };
        PictureFile.Write(SamplePicture.Of(request), path);
        PictureFileContent content = PictureFile.Read(path);
        Assert.Equal(request, content.ReadRecord().Request);
        Assert.Equal((64, 48), (content.Width, content.Height));
        if (!prompt.Contains('\u0001', StringComparison.Ordinal))
            Assert.StartsWith($"{prompt}\nNegative prompt: fog, \"mist\"\nSteps: 30,", content.Parameters, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MetadataLevel.Full, true, true)]
    [InlineData(MetadataLevel.Parameters, true, false)]
    [InlineData(MetadataLevel.Origin, false, false)]
    [InlineData(MetadataLevel.None, false, false)]
    public void Write_AtALevel_SaysNoMoreThanThat(MetadataLevel level, bool hasParameters, bool hasRecord)
    {
        foreach (string extension in (string[])["png", "jpg", "webp", "avif"])
        {
            using var folder = new TemporaryFolder();
            string path = folder[$"picture.{extension}"];
            PictureFile.Write(
                SamplePicture.Of(new PictureRequest { Prompt = "nightfall" }), path, new PictureFileOptions { Metadata = level });
            PictureFileContent content = PictureFile.Read(path);
            Assert.Equal(hasParameters, content.Parameters is not null);
            Assert.Equal(hasRecord, content.RecordJson is not null);
            string bytes = Encoding.Latin1.GetString(File.ReadAllBytes(path));
            Assert.Equal(
                hasParameters,
                bytes.Contains("nightfall", StringComparison.Ordinal) || bytes.Contains("\0n\0i\0g\0h\0t", StringComparison.Ordinal));
            Assert.Equal(level != MetadataLevel.None, bytes.Contains("trainedAlgorithmicMedia", StringComparison.Ordinal));
            Assert.Equal(level != MetadataLevel.None, bytes.Contains("MuseAtelier", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Write_OfPng_KeepsEveryPixel()
    {
        using var folder = new TemporaryFolder();
        Picture picture = SamplePicture.Of(new PictureRequest { Prompt = "x" });
        PictureFile.Write(picture, folder["a.png"]);
        (int width, int height, byte[] pixels) = Encoded.Pixels(folder["a.png"]);
        Assert.Equal((64, 48), (width, height));
        Assert.Equal(picture.Pixels.ToArray(), pixels);
    }

    [Theory]
    [InlineData("plain text", "tEXt")]
    [InlineData("café", "tEXt")]
    [InlineData("夜", "iTXt")]
    public void Write_OfPng_PutsTheParametersWhereReadersLook(string prompt, string chunk)
    {
        using var folder = new TemporaryFolder();
        PictureFile.Write(SamplePicture.Of(new PictureRequest { Prompt = prompt }), folder["a.png"]);
        (string Type, byte[] Data)[] chunks = [.. Chunks(File.ReadAllBytes(folder["a.png"]))];
        byte[] keyword = Encoding.Latin1.GetBytes("parameters\0");
        int place = Array.FindIndex(chunks, entry => entry.Type == chunk && entry.Data.AsSpan().StartsWith(keyword));
        Assert.InRange(place, 1, Array.FindIndex(chunks, entry => entry.Type == "IDAT"));
        Assert.DoesNotContain(chunks, entry => entry.Type == "zTXt");
    }

    [Fact]
    public void Write_OfPngWithoutMetadata_HoldsNoneAtAll()
    {
        using var folder = new TemporaryFolder();
        Assert.DoesNotContain(Chunks(Plain(folder)), chunk => chunk.Type is "tEXt" or "zTXt" or "iTXt" or "eXIf");
    }

    [Fact]
    public void Write_OfTheSamePicture_GivesTheSameBytes()
    {
        foreach (string extension in (string[])["png", "jpg", "webp", "avif"])
        {
            using var folder = new TemporaryFolder();
            Picture picture = SamplePicture.Of(new PictureRequest { Prompt = "x" }, 320, 200);
            PictureFile.Write(picture, folder[$"a.{extension}"]);
            PictureFile.Write(picture, folder[$"b.{extension}"]);
            Assert.Equal(File.ReadAllBytes(folder[$"a.{extension}"]), File.ReadAllBytes(folder[$"b.{extension}"]));
        }
    }

    [Fact]
    public void Write_OfMoreThanJpegHolds_IsRefusedByName()
    {
        using var folder = new TemporaryFolder();
        Picture picture = SamplePicture.Of(new PictureRequest { Prompt = LongHan, NegativePrompt = LongHan + LongHan });
        Assert.Equal(65_504, Assert.Throws<PictureMetadataTooLargeException>(() => PictureFile.Write(picture, folder["a.jpg"])).Room);
        Assert.Empty(Directory.GetFileSystemEntries(Path.GetDirectoryName(folder["x"])!));
        PictureFile.Write(picture, folder["a.webp"]);
        Assert.Equal(picture.Request, PictureFile.Read(folder["a.webp"]).ReadRecord().Request);
    }

    [Fact]
    public void Write_WhereItCannot_SaysWhyAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        Picture picture = SamplePicture.Of(new PictureRequest { Prompt = "x" });
        Assert.Throws<PictureFolderMissingException>(() => PictureFile.Write(picture, Path.Combine(folder["nowhere"], "a.png")));
        Assert.Throws<PictureFormatException>(() => PictureFile.Write(picture, folder["a.bmp"]));
        Assert.Throws<PictureFormatException>(() => PictureFile.Write(picture, folder["a"]));
        folder.Write("a.png", [1]);
        var taken = Assert.Throws<PictureExistsException>(() => PictureFile.Write(picture, folder["a.png"]));
        Assert.Contains("PictureFileOptions.Overwrite", taken.Message, StringComparison.Ordinal);
        Assert.Equal([1], File.ReadAllBytes(folder["a.png"]));
        // A name that is too long for the system stands for every other refusal of it.
        Assert.Throws<PictureNotWrittenException>(() => PictureFile.Write(picture, folder[new string('a', 300) + ".png"]));
        Assert.Single(Directory.GetFileSystemEntries(Path.GetDirectoryName(folder["x"])!));
    }

    [Fact]
    public void Write_OnAFullDisk_ThrowsWithNoSpace()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("needs a device that is always full: /dev/full");
        IOException full = Assert.ThrowsAny<IOException>(() => File.WriteAllBytes("/dev/full", new byte[1]));
        var failure = new PictureNotWrittenException("a.png", full);
        Assert.True(failure.NoSpace);
        Assert.Contains("no space is left", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfBadFiles_NamesWhatIsWrong()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<PictureNotFoundException>(() => PictureFile.Read(folder["none.png"]));
        Assert.Throws<NotAPictureException>(() => PictureFile.Read(folder.Write("text.png", "not a picture at all"u8.ToArray())));
        Assert.Throws<NotAPictureException>(() => PictureFile.Read(folder.Write("empty.png", [])));
        byte[] png = File.ReadAllBytes(Path.Combine(GoldenFiles.Folder, "starry-512.png"));
        Assert.Throws<PictureDamagedException>(() => PictureFile.Read(folder.Write("head.png", png[..12])));
        Assert.Throws<PictureDamagedException>(() => PictureFile.Read(folder.Write("cut.png", png[..(png.Length / 2)])));
        Assert.Throws<PictureDamagedException>(() => PictureFile.Read(folder.Write("cut.jpg", [0xFF, 0xD8, 0xFF, 0xE0, 0x00])));
        Assert.Throws<PictureDamagedException>(() => Encoded.Pixels(folder.Write("cut2.jpg", [0xFF, 0xD8, 0xFF, 0xE0, 0x00])));
        Assert.Throws<PictureRecordMissingException>(() =>
            PictureFile.Read(Path.Combine(GoldenFiles.Folder, "starry-512.png")).ReadRecord());
    }

    [Fact]
    public void Read_OfATextThatUnpacksToALot_StopsEarly()
    {
        using var folder = new TemporaryFolder();
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write(new byte[64 << 20]);
        var bomb = new PngChunk("zTXt", (byte[])[.. "parameters\0\0"u8, .. packed.ToArray()]);
        string path = folder.Write("bomb.png", Encoded.Png(Plain(folder), [bomb]));
        PictureDamagedException refusal = Assert.Throws<PictureDamagedException>(() => PictureFile.Read(path));
        Assert.Contains("more than 16 MiB", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfAChunkThatStatesMoreThanTheFileHas_ThrowsAndNamesTheChunk()
    {
        using var folder = new TemporaryFolder();
        byte[] png = Encoded.Png(Plain(folder), [PngChunk.Text("parameters", "text")]);
        int at = png.AsSpan().IndexOf("tEXt"u8) - 4;
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(at), 0xFFFF_FFF0);
        PictureDamagedException refusal = Assert.Throws<PictureDamagedException>(() => PictureFile.Read(folder.Write("a.png", png)));
        Assert.Contains("tEXt", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfPackedTextsOfOtherPrograms_UnpacksThem()
    {
        using var folder = new TemporaryFolder();
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write("a night\nSteps: 3"u8);
        foreach (PngChunk chunk in (PngChunk[])
            [
                new("zTXt", (byte[])[.. "parameters\0\0"u8, .. packed.ToArray()]),
                new("iTXt", (byte[])[.. "parameters\0\u0001\0en\0Parameter\0"u8, .. packed.ToArray()]),
            ])
        {
            Assert.Equal("a night\nSteps: 3", PictureFile.Read(folder.Write("a.png", Encoded.Png(Plain(folder), [chunk]))).Parameters);
        }
    }

    private static byte[] Plain(TemporaryFolder folder)
    {
        PictureFile.Write(
            SamplePicture.Of(new PictureRequest { Prompt = "x" }), folder["plain.png"],
            new PictureFileOptions { Metadata = MetadataLevel.None, Overwrite = true });
        return File.ReadAllBytes(folder["plain.png"]);
    }

    // Reads by itself, with CRCs, so that a fault in the library's own reader cannot hide.
    private static IEnumerable<(string Type, byte[] Data)> Chunks(byte[] png)
    {
        for (int at = 8; at < png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            uint crc = 0xFFFF_FFFF;
            foreach (byte value in png.AsSpan(at + 4, length + 4))
            {
                crc ^= value;
                for (int bit = 0; bit < 8; bit++) crc = (crc & 1) == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1;
            }

            Assert.Equal(~crc, BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at + 8 + length)));
            yield return (Encoding.ASCII.GetString(png, at + 4, 4), png[(at + 8)..(at + 8 + length)]);
            at += length + 12;
        }
    }
}

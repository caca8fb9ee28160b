using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Tests.Checkpoints;
using SixLabors.ImageSharp.Diagnostics;

namespace MuseAtelier.Tests.Pictures;

/// <summary>
/// Picture files that were changed at random: each is read or refused with an exception of the library's own, within bounded memory. The
/// variable MUSE_MUTATIONS makes more of them than the usual few hundred.
/// </summary>
[Collection(nameof(OneAtATime))]
public sealed class PictureFileMutationTests
{
    private const int Usual = 400;

    // What reading may take beside the pixels.
    private const long MostBytes = 64 << 20;

    private static readonly byte[] Extremes = [0, 1, 0x7F, 0x80, 0xFE, 0xFF];

    private static int Count => int.TryParse(Environment.GetEnvironmentVariable("MUSE_MUTATIONS"), NumberStyles.None,
        CultureInfo.InvariantCulture, out int count) ? count : Usual;

    [Theory]
    [InlineData("png", 11)]
    [InlineData("jpg", 12)]
    [InlineData("webp", 13)]
    public void Read_OfMutatedFiles_RefusesWithItsOwnTypes(string extension, int seed)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(seed);
        byte[] sound = Sound(extension);
        string path = folder[$"a.{extension}"];
        int read = 0, refused = 0;
        for (int i = 0; i < Count; i++)
        {
            byte[] mutated = Mutate(sound, random);
            if (extension == "png" && random.Next(4) != 0) MendChecksums(mutated);
            File.WriteAllBytes(path, mutated);
            long before = GC.GetAllocatedBytesForCurrentThread();
            (bool isRead, long pixels) = TryRead(path);
            long taken = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(taken <= MostBytes + 4 * pixels, $"mutation {i}: {taken} bytes for {pixels} px");
            if (isRead) read++;
            else refused++;
        }

        Assert.True(read > 0 && refused > 0, $"{read} read, {refused} refused");
        Assert.Equal(0, MemoryDiagnostics.TotalUndisposedAllocationCount);
    }

    private static (bool IsRead, long Pixels) TryRead(string path)
    {
        try
        {
            PictureFileContent content = PictureFile.Read(path);
            if (content.Width > PixelCodecs.MostPixels / content.Height)
                Assert.Throws<PictureTooLargeException>(() => Encoded.Pixels(path));
            (int width, int height, byte[] pixels) = Encoded.Pixels(path);
            Assert.Equal(width * height * 3, pixels.Length);
            return (true, (long)width * height);
        }
        catch (PictureFileException)
        {
            return (false, PixelCodecs.MostPixels / 16);
        }
    }

    private static byte[] Sound(string extension)
    {
        Picture picture = SamplePicture.Of(new PictureRequest { Prompt = "a night, 夜", NegativePrompt = "fog" });
        PictureFormat format = PictureFormats.Of("a." + extension);
        var encoding = new RecordedEncoding(format, PictureFormats.DefaultQuality(format));
        return Encoded.Picture("a", picture.Pixels, picture.Width, picture.Height, encoding,
            MetadataTexts.Of(MetadataLevel.Full, picture, encoding));
    }

    // A few bytes set, a piece cut out, doubled or moved to another place; most often in the first part, where the structure is.
    private static byte[] Mutate(byte[] sound, Random random)
    {
        byte[] file = [.. sound];
        for (int changes = random.Next(1, 5); changes > 0; changes--)
        {
            int at = random.Next(random.Next(2) == 0 ? Math.Min(file.Length, 200) : file.Length),
                length = Math.Min(random.Next(1, 64), file.Length - at);
            switch (random.Next(7))
            {
                case 0:
                    file = [.. file.AsSpan(0, at), .. file.AsSpan(at + length)];
                    break;
                case 1:
                    file = [.. file.AsSpan(0, at + length), .. file.AsSpan(at)];
                    break;
                case 2:
                    file = file[..(at + 1)];
                    break;
                case 3:
                    file.AsSpan(random.Next(file.Length - length + 1), length).ToArray().CopyTo(file, at);
                    break;
                default:
                    for (int i = 0; i < Math.Min(4, length); i++) file[at + i] = random.Next(2) == 0
                        ? Extremes[random.Next(Extremes.Length)] : (byte)random.Next(256);
                    break;
            }
        }

        return file;
    }

    // So that what is behind the checksums is tried too.
    private static void MendChecksums(byte[] png)
    {
        for (int at = 8; at + 12 <= png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            if (length < 0 || length > png.Length - at - 12) return;
            BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(at + 8 + length), Crc32.HashToUInt32(png.AsSpan(at + 4, 4 + length)));
            at += 12 + length;
        }
    }
}

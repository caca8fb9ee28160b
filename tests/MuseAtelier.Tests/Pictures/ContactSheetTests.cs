using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Pictures;

public sealed class ContactSheetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Compose_OfPictures_PlacesThemRowByRowAboveTheirLabels()
    {
        var sheet = ContactSheet.Compose([Cell(40, 20, 10, "I"), Cell(40, 20, 100, ""), Cell(40, 20, 200, "")], 2);
        // Margins of 8 px, labels of 14 px and 8 px above them.
        Assert.Equal((8 + 2 * 48, 8 + 2 * (20 + 22 + 8)), (sheet.Width, sheet.Height));
        Assert.Equal((255, 10), (At(sheet, 7, 8), At(sheet, 8, 8)));
        Assert.Equal((100, 100), (At(sheet, 56, 8), At(sheet, 95, 27)));
        Assert.Equal((200, 255), (At(sheet, 47, 58 + 19), At(sheet, 56, 58)));
        // The letter I is 3 px wide at its top and 1 px in its middle, twice enlarged.
        string top = string.Concat(Enumerable.Range(8, 10).Select(x => At(sheet, x, 36) == 255 ? '.' : '#'));
        string middle = string.Concat(Enumerable.Range(8, 10).Select(x => At(sheet, x, 42) == 255 ? '.' : '#'));
        Assert.Equal(("..######..", "....##...."), (top, middle));
        Assert.All(Enumerable.Range(56, 40), x => Assert.Equal(255, At(sheet, x, 42)));
    }

    [Fact]
    public void Compose_OfLargePictures_ScalesThemDown()
    {
        var sheet = ContactSheet.Compose([Cell(2000, 1000, 60, "seed 7")], 5);
        Assert.Equal((512 + 16, 256 + 38), (sheet.Width, sheet.Height));
        Assert.Equal(60, At(sheet, 100, 100));
    }

    [Fact]
    public void Compose_OfVeryManyPictures_StaysWithinWhatIsRead()
    {
        ContactSheetCell cell = Cell(512, 512, 60, "0.5");
        var sheet = ContactSheet.Compose([.. Enumerable.Repeat(cell, ContactSheet.MostCells)], 64);
        Assert.InRange((long)sheet.Width * sheet.Height, 1, 64_000_000);
        Assert.Throws<ArgumentException>(() => ContactSheet.Compose([.. Enumerable.Repeat(cell, ContactSheet.MostCells + 1)], 64));
        Assert.Throws<ArgumentException>(() => ContactSheet.Compose([], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ContactSheet.Compose([cell], 0));
    }

    [Theory]
    [InlineData("ABCDEFGHIJKLMNOPQRSTUVWXYZ")]
    [InlineData("0123456789")]
    [InlineData(".,:;-_+=/()%#*'!?")]
    public void Compose_OfLabels_DrawsEachLetterInItsOwnWay(string letters)
    {
        IEnumerable<string> drawn = letters.Select(
            letter => Convert.ToHexString(ContactSheet.Compose([Cell(20, 8, 60, $"{letter}")], 1).Pixels.Span));
        Assert.Equal(letters.Length, drawn.Distinct().Count());
        Assert.Equal(
            ContactSheet.Compose([Cell(40, 8, 60, "Seed")], 1).Pixels.Span, ContactSheet.Compose([Cell(40, 8, 60, "SEED")], 1).Pixels.Span);
        // Letters that the font does not have, and more of them than there is room for.
        Assert.Equal(
            ContactSheet.Compose([Cell(40, 8, 60, "造 😀 and so on")], 1).Pixels.Span,
            ContactSheet.Compose([Cell(40, 8, 60, "? ??")], 1).Pixels.Span);
    }

    [Fact]
    public void Write_OfASheet_NamesThePicturesInItsMetadata()
    {
        var sheet = ContactSheet.Compose([Cell(40, 20, 10, "strength 0.3") with { Name = "night-1.png" }, Cell(40, 20, 10, "b\nc")], 2);
        string path = _folder["sheet.png"];
        Assert.Equal(path, sheet.Write(path).Path);
        PictureFileContent content = PictureFile.Read(path);
        Assert.Equal("contact sheet of 2 pictures in 2 columns\n1: strength 0.3 [night-1.png]\n2: b c", content.Texts["Description"]);
        Assert.Contains("trainedAlgorithmicMedia", content.Texts["XML:com.adobe.xmp"], StringComparison.Ordinal);
        Assert.Empty(content.Notices);
        Assert.Equal(sheet.Pixels.ToArray(), Encoded.Pixels(path).Pixels);
        Assert.Equal(File.ReadAllBytes(path), sheet.Encode());
        Assert.Empty(PictureFile.Read(sheet.Encode(MetadataLevel.None)).Texts);
    }

    [Fact]
    public async Task WriteAsync_OverAFileOrInAnotherFormat_IsRefused()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        var sheet = ContactSheet.Compose([Cell(8, 8, 10, "")], 1);
        string path = _folder.Write("sheet.png", [1]);
        await Assert.ThrowsAsync<PictureExistsException>(() => sheet.WriteAsync(path, cancellationToken: stop));
        await sheet.WriteAsync(path, new PictureFileOptions { Overwrite = true }, stop);
        Assert.True(PictureFile.IsPicture(path));
        PictureFormatException failure =
            await Assert.ThrowsAsync<PictureFormatException>(() => sheet.WriteAsync(_folder["sheet.jpg"], cancellationToken: stop));
        Assert.Contains(".jpg; expected .png", failure.Message, StringComparison.Ordinal);
    }

    private static byte At(ContactSheet sheet, int x, int y) => sheet.Pixels.Span[(y * sheet.Width + x) * 3];

    private static ContactSheetCell Cell(int width, int height, byte value, string label)
    {
        byte[] pixels = new byte[width * height * 3];
        pixels.AsSpan().Fill(value);
        return new ContactSheetCell(width, height, pixels, label);
    }
}

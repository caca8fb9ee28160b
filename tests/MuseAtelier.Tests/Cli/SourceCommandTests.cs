using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Cli;

/// <summary>Pictures that are painted from a file, and painted again from their records.</summary>
public sealed class SourceCommandTests : IDisposable
{
    private const int Side = 256;

    private static readonly string[] Small = ["--steps", "2", "--seed", "5", "--cache", Muse.Cache];

    private readonly TemporaryFolder _folder = new();

    public SourceCommandTests()
    {
        WriteGradient("photo.png", 1);
        WriteGradient("other.png", 2);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Render_FromAPicture_IsVerifiedWithThatPictureAlone()
    {
        string path = _folder["lake.png"];
        MuseResult painted = await Muse.RunAsync(
            ["render", "lake", "--from", _folder["photo.png"], .. Small, "--strength", "0.5", "--out", path]);
        Assert.Equal((0, true), (painted.Code, painted.Lines[0].Contains("256x256", StringComparison.Ordinal)));
        PictureRecord record = PictureFile.Read(path).ReadRecord();
        Assert.Equal(("photo.png", 0.5f), (record.Request.Source!.Image.Name, record.Request.Source.Strength));
        MuseResult verified = await Muse.RunAsync("verify", path, "--from", _folder["photo.png"], "--cache", Muse.Cache);
        Assert.Equal((0, true), (verified.Code, verified.Out.Contains("same bytes", StringComparison.Ordinal)));
        (await Muse.RunAsync("verify", path)).AssertFailed(1, "the source is known by its digest", "photo.png", "--from");
        (await Muse.RunAsync("verify", path, "--from", _folder["other.png"])).AssertFailed(1, "the source other.png", "expected photo.png");
        (await Muse.RunAsync("replay", path, "--out", _folder["again.png"])).AssertFailed(1, "the source is known", "--from");
        (await Muse.RunAsync("replay", path, "--from", _folder["other.png"])).AssertFailed(1, "the source other.png");
        Assert.False(File.Exists(_folder["again.png"]));
    }

    [Fact]
    public async Task Variations_OverStrengths_WriteThePicturesAndASheet()
    {
        string[] series = ["--strengths", "0,0.5", "--out", _folder["lake.png"]];
        MuseResult result = await Muse.RunAsync(["variations", "lake", "--from", _folder["photo.png"], .. Small, .. series]);
        Assert.Equal(0, result.Code);
        Assert.Equal(3, result.Lines.Length);
        Assert.Equal((0, 0.5f), (StrengthOf("lake-1.png"), StrengthOf("lake-2.png")));
        PictureFileContent sheet = PictureFile.Read(_folder["lake-sheet.png"]);
        Assert.True(sheet.Width >= 2 * Side && sheet.Height > Side);
        Assert.Contains("strength 0.5", sheet.Texts["Description"], StringComparison.OrdinalIgnoreCase);
    }

    private float StrengthOf(string name) => PictureFile.Read(_folder[name]).ReadRecord().Request.Source!.Strength;

    private void WriteGradient(string name, int slope)
    {
        byte[] pixels = new byte[Side * Side * 3];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)(slope * i / 3 % Side);
        PictureFile.WriteImage(new SourceImage(Side, Side, pixels), _folder[name]);
    }
}

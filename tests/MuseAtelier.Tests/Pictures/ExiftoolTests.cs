using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Pictures;

/// <summary>What an independent reader finds in the files.</summary>
public sealed class ExiftoolTests
{
    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    [InlineData("avif")]
    public async Task Exiftool_OfEveryFormat_FindsParametersOriginAndRecord(string extension)
    {
        using var folder = new TemporaryFolder();
        string path = folder[$"picture.{extension}"];
        Picture picture = SamplePicture.Of(new PictureRequest { Prompt = "a starry night, 夜 🌌\n\"second\" line", NegativePrompt = "fog" });
        PictureFile.Write(picture, path);
        JsonElement tags = (await ReadAsync(path)).RootElement[0];
        string parameters = PictureFile.Read(path).Parameters!;
        Assert.StartsWith(picture.Request.Prompt, parameters, StringComparison.Ordinal);
        Assert.Equal(parameters, tags.GetProperty("ExifIFD:UserComment").GetString());
        Assert.Equal("MuseAtelier 0.1.0", tags.GetProperty("IFD0:Software").GetString());
        Assert.Equal(
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            tags.GetProperty("XMP-iptcExt:DigitalSourceType").GetString());
        string record = tags.GetProperty(extension == "png" ? "PNG:Museatelier" : "XMP-muse:Record").GetString()!;
        Assert.Equal(picture.Request, PictureRecord.Parse(path, record).Request);
        if (extension == "png") Assert.Equal(parameters, tags.GetProperty("PNG:Parameters").GetString());
        Assert.False(tags.TryGetProperty("ExifTool:Error", out _));
    }

    private static async Task<JsonDocument> ReadAsync(string path)
    {
        // -b keeps line breaks; groups keep equal names apart.
        var start = new ProcessStartInfo("exiftool", ["-j", "-b", "-G1", path]) { RedirectStandardOutput = true };
        try
        {
            using Process process = Process.Start(start)!;
            string json = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return JsonDocument.Parse(json);
        }
        catch (Win32Exception)
        {
            Assert.Skip("exiftool is not installed (Debian: libimage-exiftool-perl).");
            throw;
        }
    }
}

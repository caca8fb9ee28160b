using System.Diagnostics;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>What muse says of a format whose codec is in a package that muse does not have.</summary>
public sealed class MissingCodecTests
{
    // Another process, which registers nothing, as muse does.
    [Theory]
    [InlineData("render sea --width 256 --height 256 --steps 1 --out {0}/new.avif")]
    [InlineData("info {1}")]
    [InlineData("verify {1}")]
    [InlineData("replay {1} --out {0}/new.png")]
    public async Task Muse_WithoutAvif_NamesThePackageInOneLineBeforeAnyWork(string arguments)
    {
        using var folder = new TemporaryFolder();
        string[] all = [.. arguments.Split(' ').Select(part =>
            part.Replace("{0}", folder[""].TrimEnd('/')).Replace("{1}",
            Path.Combine(GoldenFiles.Folder, "pictures-netvips", "night.avif")))];
        string muse = Path.Combine(AppContext.BaseDirectory, "muse.dll");
        using Process process = Process.Start(
            new ProcessStartInfo("dotnet", [muse, .. all]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, process.ExitCode);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Contains("MuseAtelier.Pictures.Avif", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Empty(Directory.GetFileSystemEntries(folder[""]));
    }
}

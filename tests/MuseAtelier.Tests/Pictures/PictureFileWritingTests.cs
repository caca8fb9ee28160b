using System.Diagnostics;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Files;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Where pictures go: links, permissions, names, what is no file, and many writers at once.</summary>
public sealed class PictureFileWritingTests : IDisposable
{
    private static readonly PictureFileOptions Force = new() { Overwrite = true };

    private readonly TemporaryFolder _folder = new();

    private static Picture Sample { get; } = SamplePicture.Of(new PictureRequest { Prompt = "x" });

    private string Folder => Path.GetDirectoryName(_folder["x"])!;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_OntoALink_WritesTheFileThatItLeadsTo()
    {
        SkipOnWindows();
        Directory.CreateDirectory(_folder["real/deep"]);
        _folder.Write("real/picture.png", [1]);
        // The way back leads out of the folder behind the linked one, not out of the link's own.
        Directory.CreateSymbolicLink(_folder["linked"], _folder["real/deep"]);
        File.CreateSymbolicLink(_folder["first.png"], "linked/../picture.png");
        File.CreateSymbolicLink(_folder["second.png"], _folder["first.png"]);
        Assert.Throws<PictureExistsException>(() => PictureFile.Write(Sample, _folder["second.png"]));
        PictureFile.Write(Sample, _folder["second.png"], Force);
        Assert.Equal("linked/../picture.png", new FileInfo(_folder["first.png"]).LinkTarget);
        Assert.Equal(_folder["first.png"], new FileInfo(_folder["second.png"]).LinkTarget);
        Assert.Equal((64, 48), (PictureFile.Read(_folder["real/picture.png"]).Width, PictureFile.Read(_folder["second.png"]).Height));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder["real"]).Length);
    }

    [Fact]
    public void Write_OntoALinkThatLeadsNowhere_MakesTheFileOrSaysWhyNot()
    {
        SkipOnWindows();
        File.CreateSymbolicLink(_folder["a.png"], "new.png");
        Assert.Throws<PictureExistsException>(() => PictureFile.Write(Sample, _folder["a.png"]));
        PictureFile.Write(Sample, _folder["a.png"], Force);
        Assert.Null(new FileInfo(_folder["new.png"]).LinkTarget);
        File.CreateSymbolicLink(_folder["b.png"], "nowhere/new.png");
        Assert.Throws<PictureFolderMissingException>(() => PictureFile.RequireWritable(_folder["b.png"], Force));
        File.CreateSymbolicLink(_folder["c.png"], "d.png");
        File.CreateSymbolicLink(_folder["d.png"], "c.png");
        Assert.Throws<PictureNameException>(() => PictureFile.RequireWritable(_folder["c.png"], Force));
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)]
    public void Write_OverAFile_KeepsItsPermissions(UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder.Write("a.png", [1]), mode);
            PictureFile.Write(Sample, _folder["a.png"], Force);
            Assert.Equal(mode, File.GetUnixFileMode(_folder["a.png"]));
            Assert.Equal(64, PictureFile.Read(_folder["a.png"]).Width);
        }
    }

    [Fact]
    public void RequireWritable_OfAFileThatMayNotBeWrittenTo_ThrowsAndLeavesIt()
    {
        if (Environment.IsPrivilegedProcess) Assert.Skip("the superuser may write to every file");
        File.SetAttributes(_folder.Write("a.png", [1]), FileAttributes.ReadOnly);
        Assert.Contains("may be replaced",
            Assert.Throws<PictureNotWrittenException>(() => PictureFile.RequireWritable(_folder["a.png"], Force)).Message,
            StringComparison.Ordinal);
        Assert.Equal([1], File.ReadAllBytes(_folder["a.png"]));
        File.SetAttributes(_folder["a.png"], FileAttributes.Normal);
    }

    [Fact]
    public void RequireWritable_OfWhatIsNoFile_ThrowsWithItsKind()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("pipes and devices of Linux");
        using (Process process = Process.Start("mkfifo", _folder["pipe.png"])) process.WaitForExit();
        File.CreateSymbolicLink(_folder["device.png"], "/dev/null");
        Directory.CreateDirectory(_folder["folder.png"]);
        foreach ((string name, string kind) in (ReadOnlySpan<(string, string)>)[("pipe", "a pipe"), ("device", "a device"),
            ("folder", "a folder")])
        {
            Assert.Equal(kind, Assert.Throws<PictureTargetException>(() =>
                PictureFile.RequireWritable(_folder[name + ".png"], Force)).Kind);
            Assert.Throws<PictureExistsException>(() => PictureFile.RequireWritable(_folder[name + ".png"]));
        }

        Assert.Equal(3, Directory.GetFileSystemEntries(Folder).Length);
        // Nobody waits for what a pipe never brings.
        Assert.False(PictureFile.IsPicture(_folder["pipe.png"]));
    }

    [Theory]
    [InlineData(240)]
    [InlineData(255)]
    public void Write_OfTheLongestNames_Works(int length)
    {
        string path = _folder[new string('n', length - 4) + ".png"];
        PictureFile.RequireWritable(path);
        PictureFile.Write(Sample, path);
        Assert.Equal([path], Directory.GetFileSystemEntries(Folder));
    }

    [Fact]
    public void RequireWritable_OfImpossibleNames_IsRefusedBeforeAnyWork()
    {
        Assert.Throws<PictureNotWrittenException>(() => PictureFile.RequireWritable(_folder[new string('n', 252) + ".png"]));
        Assert.Throws<PictureNameException>(() => PictureFile.RequireWritable("a\0b.png"));
        Assert.Throws<PictureFormatException>(() => PictureFile.RequireWritable(""));
        Assert.Empty(Directory.GetFileSystemEntries(Folder));
    }

    // Of two writers of one name, one has it; a reader sees the one or the other picture, whole.
    [Fact]
    public async Task Write_OfManyAtOnce_NeverShowsHalfAFileAndNeverFails()
    {
        const int writers = 8, rounds = 30;
        CancellationToken stop = TestContext.Current.CancellationToken;
        string path = _folder["a.png"];
        PictureFile.Write(Sample, path);
        using var finished = new CancellationTokenSource();
        Task reader = Task.Run(
            () =>
            {
                while (!finished.IsCancellationRequested) Assert.Equal(64, Encoded.Pixels(path).Width);
            },
            stop);
        await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(
            () =>
            {
                for (int i = 0; i < rounds; i++) PictureFile.Write(Sample, path, Force);
            },
            stop)));
        await finished.CancelAsync();
        await reader;
        Assert.Equal([path], Directory.GetFileSystemEntries(Folder));
    }

    [Fact]
    public async Task Write_OfManyToOneFreeName_GivesItToOne()
    {
        const int writers = 8;
        CancellationToken stop = TestContext.Current.CancellationToken;
        for (int round = 0; round < 10; round++)
        {
            string path = _folder[$"{round}.png"];
            bool[] written = await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(
                () =>
                {
                    try
                    {
                        PictureFile.Write(Sample, path);
                        return true;
                    }
                    catch (PictureExistsException)
                    {
                        return false;
                    }
                },
                stop)));
            Assert.Equal(1, written.Count(has => has));
        }

        Assert.Equal(10, Directory.GetFileSystemEntries(Folder).Length);
    }

    // A picture that took minutes is not thrown away for a name.
    [Fact]
    public void Write_UnderAFreeName_KeepsThePictureAndSaysWhere()
    {
        PictureFileOptions free = new() { UnderFreeName = true };
        _folder.Write("a.png", [1]);
        _folder.Write("a-2.png", [2]);
        WrittenPicture written = PictureFile.Write(Sample, _folder["a.png"], free);
        Assert.Equal(_folder["a-3.png"], written.Path);
        Assert.Contains("a-3.png", Assert.Single(written.Notices), StringComparison.Ordinal);
        Assert.Equal(64, PictureFile.Read(written.Path).Width);
        Assert.Equal([1], File.ReadAllBytes(_folder["a.png"]));

        Directory.CreateDirectory(_folder["b.png"]);
        Assert.Equal(_folder["b-2.png"], PictureFile.Write(Sample, _folder["b.png"], free with { Overwrite = true }).Path);
        Assert.Empty(PictureFile.Write(Sample, _folder["c.png"], free).Notices);
        // Where no file can be made at all, the first failure is told.
        Assert.Throws<PictureFolderMissingException>(() => PictureFile.Write(Sample, _folder["nowhere/a.png"], free));
    }

    [Fact]
    public void Write_OnADiskThatFills_SaysSoAndLeavesNothing()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) Assert.Skip("needs a small file system of its own");
        string disk = Directory.CreateDirectory(_folder["disk"]).FullName;
        if (Run("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk) != 0) Assert.Skip("needs a small file system of its own");
        try
        {
            // 300 KB of prompt.
            Picture large = SamplePicture.Of(new PictureRequest { Prompt = new string('夜', 100_000) });
            var options = new PictureFileOptions { UnderFreeName = true };
            PictureNotWrittenException failure = Assert.Throws<PictureNotWrittenException>(() =>
                PictureFile.Write(large, Path.Combine(disk, "a.png"), options));
            Assert.True(failure.NoSpace);
            Assert.DoesNotContain('\n', failure.Message);
            Assert.Empty(Directory.GetFileSystemEntries(disk));
        }
        finally
        {
            Run("umount", disk);
        }
    }

    [Theory]
    [InlineData(@"con.png", "con")]
    [InlineData(@"C:\pictures\NUL.webp", "NUL")]
    [InlineData("folder/aux", "aux")]
    [InlineData("prn.tar.png", "prn")]
    [InlineData("com1.png", "com1")]
    [InlineData("LPT9 .jpg", "LPT9")]
    [InlineData("com².png", "com²")]
    [InlineData(@"\\?\C:\x\conin$.png", "conin$")]
    [InlineData("x.png:s.png", "stream")]
    [InlineData(@"C:\x.png:s.png", "stream")]
    public void Refusal_OfDevicesAndStreams_NamesThem(string path, string word) =>
        Assert.Contains(word, WindowsNames.Refusal(path), StringComparison.Ordinal);

    [Theory]
    [InlineData("x.png")]
    [InlineData(@"C:\pictures\x.png")]
    [InlineData(@"\\?\C:\pictures\x.png")]
    [InlineData(@"\\server\share\x.png")]
    [InlineData("C:x.png")]
    [InlineData("con/x.png")]
    [InlineData("console.png")]
    [InlineData("com.png")]
    [InlineData("com10.png")]
    [InlineData("")]
    public void Refusal_OfOtherNames_IsNull(string path) => Assert.Null(WindowsNames.Refusal(path));

    [Fact]
    public void Persist_OnWindows_TriesAgainAndElsewhereNot()
    {
        int tries = 0;
        void Busy()
        {
            if (++tries < 3) throw new UnauthorizedAccessException("in use");
        }

        AtomicFile.Persist(Busy, isWindows: true, () => false);
        Assert.Equal(3, tries);
        tries = 0;
        Assert.Throws<UnauthorizedAccessException>(() => AtomicFile.Persist(Busy, isWindows: false, () => false));
        Assert.Equal(1, tries);
        // A name that another program has taken stays taken.
        tries = 0;
        Assert.Throws<UnauthorizedAccessException>(() => AtomicFile.Persist(Busy, isWindows: true, () => true));
        Assert.Equal(1, tries);
    }

    private static void SkipOnWindows()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("symbolic links need a privilege on Windows");
    }

    private static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}

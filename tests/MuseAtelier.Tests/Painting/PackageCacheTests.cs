using System.Diagnostics;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

public sealed class PackageCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task OpenAsync_CancelledInItsFirstExport_LeavesNoCacheThatWasNotThere()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var reports = new Reports<LoadProgress>(_ => cancellation.Cancel());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Atelier.OpenAsync(
                NarrowAtelier.Checkpoint, TestAtelier.Options with { CacheFolder = _folder["a/cache"] }, reports, cancellation.Token));
        Assert.Contains(reports.All, report => report.Fraction > 0);
        Assert.Empty(Directory.GetFileSystemEntries(_folder[""]));
    }

    [Fact]
    public void Plan_OfACheckpoint_ExportsNothingAndPlansAsItsPackage()
    {
        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"], HostMemory = 2L << 30 };
        ResidencyPlan before = Atelier.Plan(NarrowAtelier.Checkpoint, options, TestAtelier.Small);
        ResidencyPlan exported = Atelier.Plan(
            NarrowAtelier.Checkpoint, options with { CacheFolder = TestAtelier.Options.CacheFolder }, TestAtelier.Small);
        Assert.Empty(Directory.GetFileSystemEntries(_folder[""]));
        Assert.Equal((exported.PeakBytes, exported.Offload), (before.PeakBytes, before.Offload));
        Assert.Throws<BudgetTooSmallException>(() =>
            Atelier.Plan(NarrowAtelier.Checkpoint, options with { HostMemory = 100 << 20 }, TestAtelier.Small));
    }

    [Fact]
    public async Task OpenAsync_OfManyAtOnceOnAColdCache_AllOpenAndOnePackageIsLeft()
    {
        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"] };
        Atelier[] ateliers = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, cancellationToken: Cancellation)));
        foreach (Atelier atelier in ateliers) await atelier.DisposeAsync();
        Assert.Single(Directory.GetDirectories(_folder["cache"]));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder["cache"]).Length);
    }

    // Processes of their own: nothing but the file system is between them. Where it has locks, the storm of exports does the same.
    [Fact]
    public async Task Render_InSeveralProcessesOnAColdCacheWithoutLocks_AllPaintTheSame()
    {
        Process[] processes = [.. Enumerable.Range(0, 3).Select(i => RenderWithoutLocks(_folder["cache"], _folder[$"{i}.png"]))];
        foreach (Process process in processes)
        {
            string errors = await process.StandardError.ReadToEndAsync(Cancellation);
            await process.WaitForExitAsync(Cancellation);
            Assert.True(process.ExitCode == 0, errors);
            process.Dispose();
        }

        Assert.Single(Enumerable.Range(0, 3).Select(i => Convert.ToHexString(File.ReadAllBytes(_folder[$"{i}.png"]))).Distinct());
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder["cache"]).Length);
    }

    [Fact]
    public async Task OpenAsync_WhileAnotherExports_WaitsSaysSoAndCanBeCancelled()
    {
        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"] };
        await (await Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, cancellationToken: Cancellation)).DisposeAsync();
        string package = Directory.GetDirectories(_folder["cache"])[0];
        Directory.Delete(package, recursive: true);
        using FileLock held = FileLock.TryTake(package + PackageCache.LockSuffix)!;
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var reports = new Reports<LoadProgress>(_ => cancellation.CancelAfter(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, reports, cancellation.Token));
        Assert.Contains("waiting", Assert.Single(reports.All).Phase, StringComparison.Ordinal);
        Assert.True(File.Exists(held.Path));
    }

    [Fact]
    public async Task OpenAsync_AfterAnExportThatWasKilled_ClearsWhatItLeft()
    {
        Directory.CreateDirectory(_folder["cache"]);
        string dead = _folder["cache/x-portable-0123456789ab.00112233aabb.partial"],
            living = _folder["cache/x-portable-0123456789ab.00112233aacc.partial"];
        string former = _folder["cache/x-portable-0123456789ab.4711.partial"],
            young = _folder["cache/x-portable-0123456789ab.4712.partial"];
        string replaced = _folder["cache/x-portable-0123456789ab.00112233aadd.old"], foreign = _folder["cache/my.partial"];
        foreach (string folder in (string[])[dead, living, former, young, replaced, foreign]) Directory.CreateDirectory(
            folder + "/weights");
        File.WriteAllText(dead + ".lock", "");
        foreach (string folder in (string[])[former + "/weights", former]) Directory.SetLastWriteTimeUtc(
            folder, DateTime.UtcNow - TimeSpan.FromDays(1));
        using (FileLock held = FileLock.TryTake(living + ".lock")!)
        {
            await (await Atelier.OpenAsync(NarrowAtelier.Checkpoint, TestAtelier.Options with { CacheFolder = _folder["cache"] },
                cancellationToken: Cancellation)).DisposeAsync();
            Assert.Equal([living, young, foreign], new[] { dead, living, former, young, replaced, foreign }.Where(Directory.Exists));
            Assert.False(File.Exists(dead + ".lock"));
        }
    }

    [Fact]
    public async Task OpenAsync_OfRubbishInThePackagesPlace_ReplacesIt()
    {
        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"] };
        await (await Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, cancellationToken: Cancellation)).DisposeAsync();
        string package = Directory.GetDirectories(_folder["cache"])[0];
        File.Delete(Path.Combine(package, PackageManifest.FileName));
        await (await Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, cancellationToken: Cancellation)).DisposeAsync();
        Directory.Delete(package, recursive: true);
        File.WriteAllText(package, "a file");
        await (await Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, cancellationToken: Cancellation)).DisposeAsync();
        Assert.Equal([Path.GetFileName(package), Path.GetFileName(package) + ".source"], Directory.GetFileSystemEntries(_folder["cache"])
            .Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Resolve_OfALinkWhoseTargetChanges_FollowsTheTarget()
    {
        Directory.CreateDirectory(_folder["v1"]);
        Directory.CreateDirectory(_folder["v2"]);
        File.Copy(NarrowAtelier.Checkpoint, _folder["v1/model.safetensors"]);
        File.Copy(NarrowAtelier.Checkpoint, _folder["v2/model.safetensors"]);
        DateTime time = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        foreach (string version in (string[])["v1", "v2"]) File.SetLastWriteTimeUtc(_folder[version + "/model.safetensors"], time);
        File.CreateSymbolicLink(_folder["link.safetensors"], "v1/model.safetensors");
        Directory.CreateSymbolicLink(_folder["current"], "v1");
        string Key(string path) => PackageKey.Of("m", CheckpointIdentity.Of(_folder[path]), new ExportOptions());

        string first = Key("v1/model.safetensors");
        Assert.Equal(first, Key("link.safetensors"));
        Assert.Equal(first, Key("current/model.safetensors"));
        Directory.Delete(_folder["current"]);
        Directory.CreateSymbolicLink(_folder["current"], "v2");
        Assert.NotEqual(first, Key("current/model.safetensors"));

        // Overwritten in place with a file of the same size and, to the tick, the same time.
        using (FileStream file = File.OpenWrite(_folder["v1/model.safetensors"]))
        {
            file.Position = file.Length - 1000;
            file.Write(new byte[500]);
        }

        File.SetLastWriteTimeUtc(_folder["v1/model.safetensors"], time);
        Assert.NotEqual(first, Key("link.safetensors"));
    }

    [Fact]
    public void Key_OfAVeryLongName_IsShort()
    {
        File.Copy(NarrowAtelier.Checkpoint, _folder["a.safetensors"]);
        Assert.InRange(PackageKey.Of(new string('n', 200) + ".safetensors", CheckpointIdentity.Of(_folder["a.safetensors"]),
            new ExportOptions()).Length, 40, 80);
        Assert.Throws<CheckpointUnreadableException>(() =>
        {
            File.CreateSymbolicLink(_folder["x"], "y");
            File.CreateSymbolicLink(_folder["y"], "x");
            CheckpointIdentity.Of(_folder["x"]);
        });
    }

    [Fact]
    public async Task OpenAsync_InASharedCache_GivesThePackageItsRights()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows inherits rights by itself.");
            return;
        }

        const UnixFileMode shared =
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.SetGroup;
        Directory.CreateDirectory(_folder["cache"]);
        File.SetUnixFileMode(_folder["cache"], shared);
        await (await Atelier.OpenAsync(NarrowAtelier.Checkpoint, TestAtelier.Options with { CacheFolder = _folder["cache"] },
            cancellationToken: Cancellation)).DisposeAsync();
        string package = Directory.GetDirectories(_folder["cache"])[0];
        foreach (string folder in Directory.GetDirectories(package, "*", SearchOption.AllDirectories).Append(package)) Assert.Equal(
            shared, File.GetUnixFileMode(folder));
        const UnixFileMode file = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        foreach (string path in Directory.GetFiles(package, "*", SearchOption.AllDirectories)) Assert.Equal(
            file, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task GenerateAsync_OfAPackageWhoseWeightsWereTruncated_SaysSoAndDoesNotCrash()
    {
        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"] };
        await using Atelier atelier = await Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, cancellationToken: Cancellation);
        await atelier.GenerateAsync(TestAtelier.Small with { Steps = 1 }, cancellationToken: Cancellation);
        string weights = Path.Combine(atelier.Model.Package, "weights", "unet.weights");
        // Another program, which heeds no locks.
        using (Process truncate = Process.Start("truncate", ["-s", "0", weights])) await truncate.WaitForExitAsync(Cancellation);
        PackageFileDamagedException exception =
            await Assert.ThrowsAsync<PackageFileDamagedException>(
            () => atelier.GenerateAsync(TestAtelier.Small with { Steps = 1 }, cancellationToken: Cancellation));
        Assert.Equal("weights/unet.weights", exception.File);
    }

    [Fact]
    public void Try_OnARefusalThatPasses_TriesAgainWithGrowingPauses()
    {
        List<TimeSpan> pauses = [];
        int left = 3;
        PatientMove.Try(() => { if (left-- > 0) throw new UnauthorizedAccessException(); }, again: true, pauses.Add);
        Assert.Equal([50, 100, 200], pauses.Select(pause => pause.TotalMilliseconds));
        Assert.Throws<IOException>(() => PatientMove.Try(() => throw new IOException(), again: true, pauses.Add));
        Assert.InRange(pauses.Sum(pause => pause.TotalSeconds), 1, 20);
        pauses.Clear();
        Assert.Throws<IOException>(() => PatientMove.Try(() => throw new IOException(), again: false, pauses.Add));
        Assert.Throws<FileNotFoundException>(() => PatientMove.Try(() => throw new FileNotFoundException(), again: true, pauses.Add));
        Assert.Empty(pauses);
    }

    [Fact]
    public void OpenFileLimit_OfFewFiles_NamesTheRemedy()
    {
        Assert.Null(OpenFileLimit.TooLow());
        Assert.Null(OpenFileLimit.TooLow(128));
        Assert.Contains("may open 100 files", OpenFileLimit.TooLow(100), StringComparison.Ordinal);
        // What the system and ONNX Runtime say.
        Assert.Contains("ulimit -n 1024", new PackageCacheException("c", new IOException("Too many open files : '/c/x'", 24)).Message,
            StringComparison.Ordinal);
        Assert.Contains("ulimit -n 1024", new ExportFolderException("c", new IOException("Too many open files : '/c/x'", 24)).Message,
            StringComparison.Ordinal);
        Assert.Contains("ulimit -n 1024", OpenFileLimitException.Of(
            new InvalidOperationException("Load model from x failed:system error number 24"))!.Message, StringComparison.Ordinal);
        Assert.Null(OpenFileLimitException.Of(new InvalidOperationException("Load model from x failed:Protobuf parsing failed.")));
    }

    [Fact]
    public async Task Render_WithAFewOpenFiles_SaysWhatToRaise()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such limit.");
        // Below the limit of 128, but with room for the libraries and threads of .NET, which opens each library's file: with 100, .NET
        // could end the process before the limit was checked.
        var start = new ProcessStartInfo("/bin/sh",
            ["-c", "ulimit -n 127; exec dotnet \"$@\"", "sh", .. Arguments(_folder["cache"], _folder["x.png"])])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string errors = await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.True(process.ExitCode == 1, errors);
        Assert.Contains("ulimit -n 1024", Assert.Single(errors.Trim().Split('\n')), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["cache"]));
    }

    // Another user's umask is the only difference between the two: run as root, rights would not count.
    [Fact]
    public async Task OpenAsync_OfAPackageThatMayNotBeRead_NamesTheRemedy()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("Rights do not hold for this user.");
            return;
        }

        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"] };
        await (await Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, cancellationToken: Cancellation)).DisposeAsync();
        string package = Directory.GetDirectories(_folder["cache"])[0];
        UnixFileMode mode = File.GetUnixFileMode(package);
        File.SetUnixFileMode(package, UnixFileMode.None);
        try
        {
            PackageCacheException exception =
                await Assert.ThrowsAsync<PackageCacheException>(
                () => Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, cancellationToken: Cancellation));
            Assert.Contains("may not be read by this user", exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.SetUnixFileMode(package, mode);
        }
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Process RenderWithoutLocks(string cache, string picture)
    {
        var start = new ProcessStartInfo("dotnet", Arguments(cache, picture))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        // As on a network file system that has no locks.
        start.Environment["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = "1";
        return Process.Start(start)!;
    }

    private static string[] Arguments(string cache, string picture) =>
    [
        Path.Combine(AppContext.BaseDirectory, "muse.dll"), "render", "cat", "-W", "256", "-H", "256", "--steps", "1", "--seed", "3",
            "--model", NarrowAtelier.Checkpoint, "--device", "cpu", "--cache", cache, "-o", picture,
    ];
}

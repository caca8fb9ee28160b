using System.Diagnostics;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Environments;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Export;

public sealed class CheckpointExporterTests(TestAtelier miniature) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Export_Twice_GivesTheSamePackage()
    {
        var reports = new Reports<ExportProgress>();
        ExportResult result = CheckpointExporter.Export(TestAtelier.Checkpoint, _folder["a"], new ExportOptions(), reports, Cancellation);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(miniature.Atelier.Model.Package, PackageManifest.FileName)),
            File.ReadAllBytes(_folder["a/" + PackageManifest.FileName]));
        Assert.Equal(1, reports.All[^1].Fraction);
        Assert.Equal(result.Bytes, PackageManifest.Read(_folder["a"]).Files.Sum(file => new FileInfo(_folder["a/" + file.Name]).Length));
        Assert.Equal(["a"], Directory.GetFileSystemEntries(_folder[""]).Select(Path.GetFileName));
    }

    [Fact]
    public void Export_OverAnOlderPackage_ReplacesIt()
    {
        Directory.CreateDirectory(_folder["a"]);
        File.WriteAllText(_folder["a/" + PackageManifest.FileName], "{}");
        File.WriteAllText(_folder["a/old"], "");
        CheckpointExporter.Export(TestAtelier.Checkpoint, _folder["a"], new ExportOptions(), cancellationToken: Cancellation);
        Assert.False(File.Exists(_folder["a/old"]));
        Assert.NotEmpty(PackageManifest.Read(_folder["a"]).Components);
    }

    [Fact]
    public void Export_IntoAFolderOfOtherThings_RefusesAndTouchesNothing()
    {
        Directory.CreateDirectory(_folder["a"]);
        File.WriteAllText(_folder["a/letter.txt"], "dear");
        ExportFolderException refusal = Assert.Throws<ExportFolderException>(() =>
            CheckpointExporter.Export(TestAtelier.Checkpoint, _folder["a"], new ExportOptions(), cancellationToken: Cancellation));
        Assert.Equal(_folder["a"], refusal.Folder);
        Assert.Equal(["letter.txt"], Directory.GetFileSystemEntries(_folder["a"]).Select(Path.GetFileName));
    }

    [Fact]
    public void Export_IntoAFile_Refuses()
    {
        File.WriteAllText(_folder["a"], "");
        Assert.Throws<ExportFolderException>(() =>
            CheckpointExporter.Export(TestAtelier.Checkpoint, _folder["a"], new ExportOptions(), cancellationToken: Cancellation));
        Assert.Throws<ExportFolderException>(() =>
            CheckpointExporter.Export(TestAtelier.Checkpoint, _folder["a/b"], new ExportOptions(), cancellationToken: Cancellation));
    }

    [Fact]
    public void Export_CancelledHalfWay_LeavesNothing()
    {
        using var cancellation = new CancellationTokenSource();
        var reports = new Reports<ExportProgress>(report =>
        {
            if (report.Fraction > 0.5) cancellation.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() =>
            CheckpointExporter.Export(TestAtelier.Checkpoint, _folder["new/a"], new ExportOptions(), reports, cancellation.Token));
        Assert.InRange(reports.All[^1].Fraction, 0.5, 0.99);
        Assert.Empty(Directory.GetFileSystemEntries(_folder[""]));
    }

    [Fact]
    public async Task Export_Killed_LeavesNothingThatLooksFinished()
    {
        // Killed as soon as it has begun to write; a machine so fast that it is done by then tries again.
        for (int attempt = 0; ; attempt++)
        {
            Assert.True(attempt < 10, "every export was done before it could be killed");
            string folder = _folder[$"killed{attempt}"];
            using Process process = Process.Start(MuseExport(folder))!;
            while (!process.HasExited && !Directory.EnumerateDirectories(_folder[""], "*.partial").Any()) await Task.Delay(1, Cancellation);
            process.Kill();
            await process.WaitForExitAsync(Cancellation);
            if (Directory.Exists(folder))
            {
                // Done before it was killed, though perhaps not ended: then it is whole.
                AssertWhole(folder);
                continue;
            }

            Assert.NotEmpty(Directory.EnumerateDirectories(_folder[""], "*.partial"));
            CheckpointExporter.Export(TestAtelier.Checkpoint, folder, new ExportOptions(), cancellationToken: Cancellation);
            Assert.True(File.Exists(Path.Combine(folder, PackageManifest.FileName)));
            // What the killed one left is gone with the next export.
            Assert.Equal([Path.GetFileName(folder)], Directory.GetFileSystemEntries(_folder[""], $"{Path.GetFileName(folder)}*")
                .Select(Path.GetFileName));
            return;
        }
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    [InlineData("QUIT")]
    [InlineData("INT")]
    public async Task Export_StoppedByASignal_LeavesNothing(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill.");
        for (int attempt = 0; ; attempt++)
        {
            Assert.True(attempt < 10, "every export was done before it could be stopped");
            string folder = _folder[$"stopped{attempt}"];
            ProcessStartInfo start = MuseExport(folder);
            start.RedirectStandardError = true;
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync(Cancellation);
            while (!process.HasExited && !Directory.EnumerateDirectories(_folder[""], "*.partial").Any()) await Task.Delay(1, Cancellation);
            Signals.Send(signal, process.Id);
            await process.WaitForExitAsync(Cancellation);
            // Done before the signal came, though perhaps not ended.
            if (process.ExitCode != 130 && Directory.Exists(folder)) continue;

            Assert.Equal(130, process.ExitCode);
            Assert.Equal("error: cancelled", (await errors).Trim());
            Assert.Empty(Directory.GetFileSystemEntries(_folder[""], $"stopped{attempt}*"));
            return;
        }
    }

    [Fact]
    public async Task Export_OntoAPackageInUse_RefusesAndLeavesItWhole()
    {
        CheckpointExporter.Export(TestAtelier.Checkpoint, _folder["a"], new ExportOptions(), cancellationToken: Cancellation);
        await using (Atelier atelier = await Atelier.OpenAsync(_folder["a"], TestAtelier.Options, cancellationToken: Cancellation))
        {
            ExportFolderException exception = Assert.Throws<ExportFolderException>(() =>
                CheckpointExporter.Export(TestAtelier.Checkpoint, _folder["a"], new ExportOptions(), cancellationToken: Cancellation));
            Assert.Contains("has open", exception.Message, StringComparison.Ordinal);
            Assert.NotEmpty((await atelier.GenerateAsync(
                TestAtelier.Small with { Steps = 1 }, cancellationToken: Cancellation)).Pixels.ToArray());
        }

        CheckpointExporter.Export(TestAtelier.Checkpoint, _folder["a"], new ExportOptions(), cancellationToken: Cancellation);
        Assert.Equal(["a"], Directory.GetFileSystemEntries(_folder[""]).Select(Path.GetFileName));
    }

    [Fact]
    public void Export_OfACheckpointThatIsReplacedMeanwhile_RefusesIt()
    {
        string checkpoint = _folder["c.safetensors"];
        File.Copy(TestAtelier.Checkpoint, checkpoint);
        var reports = new Reports<ExportProgress>(
            _ => File.SetLastWriteTimeUtc(checkpoint, new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc)));
        Assert.Throws<CheckpointChangedException>(
            () => CheckpointExporter.Export(checkpoint, _folder["a"], new ExportOptions(), reports, Cancellation));
        Assert.Equal(["c.safetensors"], Directory.GetFileSystemEntries(_folder[""]).Select(Path.GetFileName));
    }

    [Fact]
    public void Export_OfManyAtOnceToOneFolder_LeavesOneWholePackage()
    {
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancellation }, _ =>
            CheckpointExporter.Export(TestAtelier.Checkpoint, _folder["a"], new ExportOptions(), cancellationToken: Cancellation));
        Assert.Equal(["a"], Directory.GetFileSystemEntries(_folder[""]).Select(Path.GetFileName));
        AssertWhole(_folder["a"]);
    }

    [Fact]
    public void Export_OfMissingAndMisshapenTensors_NamesThemAll()
    {
        using (SafetensorsFile source = SafetensorsFile.Open(TestAtelier.Checkpoint))
        {
            string gone = "model.diffusion_model.middle_block.1.proj_in.weight", other = "first_stage_model.decoder.conv_in.bias";
            SafetensorsDeclaration[] tensors =
            [
                .. source.Tensors.Values.Where(tensor => tensor.Name != gone)
                    .Select(tensor => new SafetensorsDeclaration(tensor.Name, tensor.Type!.Value, Shape(tensor))),
            ];
            CheckpointVariant.Write(source, _folder["b.safetensors"], tensors);
            MissingTensorsException exception = Assert.Throws<MissingTensorsException>(() =>
                CheckpointExporter.Export(_folder["b.safetensors"], _folder["b"], new ExportOptions(), cancellationToken: Cancellation));
            Assert.Equal([gone, other], exception.Mismatches.Select(mismatch => mismatch.Name).Order(StringComparer.Ordinal).Reverse());

            IReadOnlyList<long> Shape(SafetensorsTensor tensor) => tensor.Name == other ? [tensor.Shape[0], 1] : tensor.Shape;
        }

        Assert.False(Directory.Exists(_folder["b"]));
    }

    // Widened numbers are the same numbers, though a graph may sum them in another order; bfloat16 keeps eight bits of eleven.
    [Theory]
    [InlineData(nameof(ElementType.F32), nameof(ElementType.F32), 70)]
    [InlineData(nameof(ElementType.F16), nameof(ElementType.F32), 70)]
    [InlineData(nameof(ElementType.BF16), nameof(ElementType.BF16), 18)]
    [InlineData(nameof(ElementType.F16), nameof(ElementType.BF16), 18)]
    public async Task Export_OfAnotherElementType_PaintsAlike(string name, string decoderName, double leastPsnr)
    {
        ElementType type = Enum.Parse<ElementType>(name), decoderType = Enum.Parse<ElementType>(decoderName);
        string checkpoint = _folder["c.safetensors"];
        using (SafetensorsFile source = SafetensorsFile.Open(TestAtelier.Checkpoint))
        {
            SafetensorsDeclaration[] tensors =
                [.. source.Tensors.Values.Select(tensor => new SafetensorsDeclaration(tensor.Name, TypeOf(tensor), tensor.Shape))];
            CheckpointVariant.Write(source, checkpoint, tensors);
        }

        await using Atelier atelier = await Atelier.OpenAsync(
            checkpoint, TestAtelier.Options with { CacheFolder = _folder["cache"] }, cancellationToken: Cancellation);
        Picture picture = await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Picture original = await miniature.ReferenceAsync(TestAtelier.Small);
        double psnr = Likeness.Psnr(original.Pixels.Span, picture.Pixels.Span);
        Assert.True(psnr >= leastPsnr, $"{psnr:F1} dB");

        ElementType TypeOf(SafetensorsTensor tensor)
        {
            if (tensor.Type is ElementType.I64) return ElementType.I64;
            return tensor.Name.StartsWith("first_stage_model.", StringComparison.Ordinal) ? decoderType : type;
        }
    }

    private static void AssertWhole(string package) => Assert.All(
        PackageManifest.Read(package).Files, file => Assert.Equal(file.Bytes, new FileInfo(Path.Combine(package, file.Name)).Length));

    private static ProcessStartInfo MuseExport(string folder)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "muse-export.dll");
        return new ProcessStartInfo("dotnet", [program, TestAtelier.Checkpoint, "--out", folder]) { RedirectStandardOutput = true };
    }
}

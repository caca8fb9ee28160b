using System.CommandLine;
using System.Text.Json;
using MuseAtelier.Cli;
using MuseAtelier.Cli.Commands;
using MuseAtelier.Cli.Measuring;
using MuseAtelier.Cuda;
using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Tests.Cuda;

public sealed class CudaDiagnosisTests
{
    [Fact]
    public void Run_OnAnyMachine_LooksAtEveryPart()
    {
        CudaDiagnosis diagnosis = CudaDiagnosis.Run();
        Assert.Equal(5, diagnosis.Parts.Count);
        Assert.All(diagnosis.Parts, part =>
        {
            Assert.NotEmpty(part.Found);
            if (part.State is not (CudaPartState.Fits or CudaPartState.NotTried)) Assert.NotEmpty(part.Remedy);
        });
        Assert.Equal(diagnosis.IsUsable, diagnosis.Problem(0) is null);
    }

    [Fact]
    public async Task Open_WhereSomethingIsMissing_SaysSoBeforeLoading()
    {
        Assert.SkipWhen(CudaDiagnosis.Run().IsUsable, "This machine has everything.");
        string folder = Directory.CreateTempSubdirectory("muse-cuda-").FullName;
        try
        {
            var options = new AtelierOptions { Backend = CudaBackend.Create(), CacheFolder = folder };
            MuseAtelierException exception = await Assert.ThrowsAnyAsync<MuseAtelierException>(() => Atelier.OpenAsync(Support.TestAtelier.Checkpoint, options, cancellationToken: TestContext.Current.CancellationToken));
            Assert.True(exception is CudaPartException or CudaCardMissingException or CudaCardTooOldException, exception.ToString());
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Problem_OfACardThatIsNotThere_NamesIt()
    {
        CudaDiagnosis fits = Diagnosis(new Version(9, 0));
        Assert.Null(fits.Problem(0));
        CudaCardMissingException exception = Assert.IsType<CudaCardMissingException>(fits.Problem(3));
        Assert.Equal(3, exception.Card);
    }

    [Fact]
    public void Problem_OfAnOldCard_NamesItsCapability()
    {
        CudaCardTooOldException exception = Assert.IsType<CudaCardTooOldException>(Diagnosis(new Version(6, 1)).Problem(0));
        Assert.Contains("6.1", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Problem_OfAWrongPart_ComesBeforeTheProvider()
    {
        CudaDiagnosis diagnosis = Diagnosis(new Version(9, 0)) with
        {
            Dnn = new CudaPart("cuDNN", CudaPartState.WrongVersion, "version 8.9.7", "version 9", "Install it."),
            Provider = new CudaPart("ONNX Runtime", CudaPartState.Fails, "it does not load", "it loads", "Install it."),
        };
        Assert.Equal("cuDNN", Assert.IsType<CudaPartException>(diagnosis.Problem(0)).Part.Name);
    }

    [Theory]
    [InlineData(
        "[ErrorCode:Fail] /src/provider_bridge_ort.cc:2043 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library /muse/libonnxruntime_providers_cuda.so with error: libcurand.so.10: cannot open shared object file: No such file or directory\n",
        "libcurand.so.10: cannot open shared object file: No such file or directory", true)]
    [InlineData("CUDA execution provider is not enabled\nin this build.", "CUDA execution provider is not enabled in this build.", false)]
    public void LoadFailure_OfWhatTheRuntimeSays_IsOneLineThatNamesTheLibrary(string message, string reason, bool lacksLibrary) =>
        Assert.Equal((reason, lacksLibrary), CudaDiagnosis.LoadFailure(message));

    [Fact]
    public void BuiltFor_AnotherCuda_IsAWrongVersionThatSaysWhatToInstall()
    {
        CudaPart dnn = new("cuDNN", CudaPartState.Fits, "version 9.14.0", "version 9", "");
        Assert.Same(dnn, CudaDiagnosis.BuiltFor(new Version(13, 0), dnn));
        CudaPart wrong = CudaDiagnosis.BuiltFor(new Version(12, 8), dnn);
        Assert.Equal((CudaPartState.WrongVersion, "version 9.14.0, built for CUDA 12", "version 9, built for CUDA 13"), (wrong.State, wrong.Found, wrong.Expected));
        Assert.Contains("CUDA 13", wrong.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Versions_OfACardsLibraries_StandInOneLine()
    {
        CudaPart Part(string name, Version? version) => new(name, CudaPartState.Fits, "", "", "") { Version = version };
        CudaDiagnosis diagnosis = CudaDiagnosis.Run() with
        {
            DriverRelease = "580.159.04",
            Driver = Part("driver", new Version(13, 0)),
            Runtime = Part("CUDA runtime", new Version(13, 0)),
            Blas = Part("cuBLAS", new Version(13, 1, 0)),
            Dnn = Part("cuDNN", new Version(9, 14, 0)),
            Provider = Part("ONNX Runtime", null),
        };
        Assert.Equal("driver 580.159.04, CUDA runtime 13.0, cuBLAS 13.1.0, cuDNN 9.14.0", MeasuredMachine.Versions(diagnosis));
        Assert.Null(MeasuredMachine.Of("processor", "1", MuseAtelier.Cpu.CpuBackend.Create()).CardLibraries);
        Assert.NotNull(MeasuredMachine.Of("card", "1", CudaBackend.Create()).CardLibraries);
    }

    [Theory]
    [InlineData(8907, "8.9.7")]
    [InlineData(90100, "9.1.0")]
    [InlineData(91400, "9.14.0")]
    public void OfDnn_OfItsNumber_IsItsVersion(long number, string version) => Assert.Equal(Version.Parse(version), CudaVersions.OfDnn(number));

    [Theory]
    [InlineData(12080, "12.8")]
    [InlineData(13000, "13.0")]
    public void OfCuda_OfItsNumber_IsItsVersion(int number, string version) => Assert.Equal(Version.Parse(version), CudaVersions.OfCuda(number));

    [Fact]
    public void Doctor_OnAnyMachine_ShowsEveryPartAndSucceeds()
    {
        (int code, string text) = Doctor();
        Assert.Equal(0, code);
        Assert.All((string[])["NVIDIA driver", "CUDA runtime", "cuBLAS", "cuDNN", "ONNX Runtime for CUDA", "card", "model", "disk", "muse paints on"], part => Assert.Contains(part, text, StringComparison.Ordinal));
    }

    [Fact]
    public void Doctor_AsJson_IsOneObject()
    {
        (int code, string text) = Doctor("--json");
        using JsonDocument document = JsonDocument.Parse(text);
        Assert.Equal(0, code);
        Assert.Equal(5, document.RootElement.GetProperty("parts").GetArrayLength());
        Assert.Single(text.Trim().Split('\n'));
    }

    [Fact]
    public void Create_ForAuto_TakesTheCardOnlyWhereAllIsThere() =>
        Assert.Equal(CudaDiagnosis.HasProvider && CudaDiagnosis.Run().IsUsable, Backends.Create(DeviceChoice.Auto) is CudaBackend);

    private static (int Code, string Text) Doctor(params string[] args)
    {
        using StringWriter output = new(), errors = new();
        int code = DoctorCommand.Create(Terminal.Plain(output, errors)).Parse(args).Invoke();
        return (code, output.ToString());
    }

    private static CudaDiagnosis Diagnosis(Version capability)
    {
        CudaPart fits = new("part", CudaPartState.Fits, "there", "it", "");
        return CudaDiagnosis.Run() with { Driver = fits, Runtime = fits, Blas = fits, Dnn = fits, Provider = fits, Cards = [new CudaCard(0, "card", capability, 1L << 34)] };
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
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
            MuseAtelierException exception = await Assert.ThrowsAnyAsync<MuseAtelierException>(() =>
                Atelier.OpenAsync(Support.TestAtelier.Checkpoint, options, cancellationToken: TestContext.Current.CancellationToken));
            Assert.True(exception is CudaPartException or CudaCardMissingException or CudaCardTooOldException, exception.ToString());
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Problem_OfAMissingCard_HasItsNumber()
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
        "[ErrorCode:Fail] /src/provider_bridge_ort.cc:2043 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() "
            + "[ONNXRuntimeError] : 1 : FAIL : Failed to load library /muse/libonnxruntime_providers_cuda.so with error: "
            + "libcurand.so.10: cannot open shared object file: No such file or directory\n",
        "libcurand.so.10: cannot open shared object file: No such file or directory", true)]
    [InlineData(
        "[ErrorCode:Fail] D:\\onnxruntime\\provider_bridge_ort.cc:2043 onnxruntime::ProviderLibrary::Get [ONNXRuntimeError] : 1 : FAIL : "
            + "Error loading \"C:\\m\\onnxruntime_providers_cuda.dll\" which depends on "
            + "\"cublasLt64_13.dll\" which is missing. (Error 126: \"None.\")",
        "Error loading \"C:\\m\\onnxruntime_providers_cuda.dll\" which depends on "
            + "\"cublasLt64_13.dll\" which is missing. (Error 126: \"None.\")",
        true)]
    [InlineData(
        "FAIL : Error loading \"C:\\muse\\onnxruntime_providers_cuda.dll\" which is missing. (Error 126: \"\")",
        "Error loading \"C:\\muse\\onnxruntime_providers_cuda.dll\" which is missing. (Error 126: \"\")", false)]
    [InlineData("CUDA execution provider is not enabled\nin this build.", "CUDA execution provider is not enabled in this build.", false)]
    public void LoadFailure_OfWhatTheRuntimeSays_IsOneLineThatNamesTheLibrary(string message, string reason, bool lacksLibrary) =>
        Assert.Equal((reason, lacksLibrary), CudaDiagnosis.LoadFailure(message));

    [Theory]
    [InlineData("which depends on \"cublasLt64_13.dll\" which is missing.", true, "cuda-downloads")]
    [InlineData("which depends on \"cudnn64_9.dll\" which is missing.", true, "cudnn-downloads")]
    [InlineData("which depends on \"MSVCP140_ATOMIC_WAIT.dll\" which is missing.", true, "Visual C++ Redistributable")]
    [InlineData("libcurand.so.10: cannot open shared object file: No such file or directory", true, "cuda-downloads")]
    [InlineData("CUDA execution provider is not enabled in this build.", false, "CudaRuntime=true")]
    public void ProviderRemedy_OfAReason_IsAboutThatLibrary(string reason, bool lacksLibrary, string remedy) =>
        Assert.Contains(remedy, CudaDiagnosis.ProviderRemedy(reason, lacksLibrary), StringComparison.Ordinal);

    [Fact]
    public void BringProvider_OfASystem_NamesItsFiles()
    {
        string windows = CudaDiagnosis.BringProvider(true, Architecture.X64), linux = CudaDiagnosis.BringProvider(false, Architecture.X64);
        Assert.Contains("onnxruntime.dll, onnxruntime_providers_shared.dll", windows, StringComparison.Ordinal);
        Assert.Contains("libonnxruntime_providers_cuda.so", linux, StringComparison.Ordinal);
        string arm = CudaDiagnosis.BringProvider(false, Architecture.Arm64);
        Assert.Contains("x64 only", arm, StringComparison.Ordinal);
        Assert.DoesNotContain("CudaRuntime=true", arm, StringComparison.Ordinal);
    }

    [Fact]
    public void OfStart_OfTheDriversErrors_SaysWhatToDoAboutEach()
    {
        Dictionary<int, string> words = new()
        {
            [2] = "memory",
            [34] = "stub",
            [35] = "driver 580",
            [46] = "compute mode",
            [101] = "CUDA_VISIBLE_DEVICES",
            [102] = "licence",
            [304] = "/dev/nvidia",
            [800] = "/dev/nvidia",
            [802] = "fabricmanager",
            [803] = "Restart the machine",
            [804] = "cuda-compat",
            [805] = "MPS",
            [999] = "nvidia-modprobe",
            [12345] = "nvidia-smi",
        };
        Assert.All(words, pair => Assert.Contains(pair.Value, CudaRemedies.OfStart(pair.Key), StringComparison.Ordinal));
        Assert.All([34, 35, 46, 101, 304, 800, 802], code =>
            Assert.DoesNotContain("Restart the machine", CudaRemedies.OfStart(code), StringComparison.Ordinal));
        Assert.Null(CudaRemedies.Find(700));
    }

    [Fact]
    public void WithoutCards_OfMacOS_SaysThatThereAreNone()
    {
        CudaDiagnosis diagnosis = CudaDiagnosis.WithoutCards("there are no NVIDIA cards for macOS");
        CudaPartException problem = Assert.IsType<CudaPartException>(diagnosis.Problem(0));
        Assert.Contains("no NVIDIA cards for macOS", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Install", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("libcuda.so.1", "advice: \nlibcuda.so.1: cannot open shared object file: No such file or directory\n", null)]
    [InlineData("libcuda.so.1", "advice: \n/lib/libcuda.so.1: file too short\n", "/lib/libcuda.so.1: file too short")]
    [InlineData(
        "libcublas.so.13",
        "advice: \nlibcublasLt.so.13: cannot open shared object file: No such file or directory\n",
        "libcublasLt.so.13: cannot open shared object file: No such file or directory")]
    public void Reason_OfWhatTheLoaderSays_IsNullOnlyWhereTheLibraryIsAbsent(string path, string message, string? reason) =>
        Assert.Equal(reason, CudaLibraries.Reason(path, message));

    [Fact]
    public void Doctor_WithATextFileAsDriver_SaysWhatItIs()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Its loader's search path is what puts the file in the driver's place.");
        JsonElement driver = DoctorWith(
            "LD_LIBRARY_PATH", folder => File.WriteAllText(Path.Combine(folder, "libcuda.so.1"), "no library"))[0];
        Assert.Equal(nameof(CudaPartState.Fails), driver.GetProperty("state").GetString(), ignoreCase: true);
        Assert.Contains("file too short", driver.GetProperty("found").GetString(), StringComparison.Ordinal);
        string remedy = driver.GetProperty("remedy").GetString()!;
        Assert.Contains("no driver", remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("Restart", remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Doctor_WithALibraryBelowCudaHome_LooksThere()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && !CudaDiagnosis.Run().IsUsable, "Where CUDA is installed, the loader finds that first.");
        // No library of CUDA, so that what is said of it shows that it was loaded from there.
        string own = $"linux-{RuntimeInformation.ProcessArchitecture}";
        string other = Directory.EnumerateFiles(AppContext.BaseDirectory, "libonnxruntime_providers_shared.so", SearchOption.AllDirectories)
            .First(path => !path.Contains("linux-", StringComparison.Ordinal) || path.Contains(own, StringComparison.OrdinalIgnoreCase));
        JsonElement runtime = DoctorWith("CUDA_HOME", folder =>
        {
            Directory.CreateDirectory(Path.Combine(folder, "lib64"));
            File.Copy(other, Path.Combine(folder, "lib64", "libcudart.so.13"));
        })[1];
        Assert.Contains("it is incomplete", runtime.GetProperty("found").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfAnyLibrary_ComesAfterTheBoundOfWorkspaces()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads the C library's own environment.");
        _ = CudaLibraries.Load(CudaLibraries.Blas);
        Assert.NotEmpty(Marshal.PtrToStringUTF8(NativeEnvironment("CUBLAS_WORKSPACE_CONFIG")) ?? "");
    }

    [Fact]
    public void BuiltFor_AnotherCuda_IsAWrongVersionThatSaysWhatToInstall()
    {
        CudaPart dnn = new("cuDNN", CudaPartState.Fits, "version 9.14.0", "version 9", "");
        Assert.Same(dnn, CudaDiagnosis.BuiltFor(new Version(13, 0), dnn));
        CudaPart wrong = CudaDiagnosis.BuiltFor(new Version(12, 8), dnn);
        Assert.Equal(
            (CudaPartState.WrongVersion, "version 9.14.0, built for CUDA 12", "version 9, built for CUDA 13"),
            (wrong.State, wrong.Found, wrong.Expected));
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
    public void OfDnn_OfItsNumber_IsItsVersion(long number, string version) =>
        Assert.Equal(Version.Parse(version), CudaVersions.OfDnn(number));

    [Theory]
    [InlineData(12080, "12.8")]
    [InlineData(13000, "13.0")]
    public void OfCuda_OfItsNumber_IsItsVersion(int number, string version) =>
        Assert.Equal(Version.Parse(version), CudaVersions.OfCuda(number));

    [Fact]
    public void Doctor_OnAnyMachine_ShowsEveryPartAndSucceeds()
    {
        (int code, string text) = Doctor();
        Assert.Equal(0, code);
        string[] parts =
            ["NVIDIA driver", "CUDA runtime", "cuBLAS", "cuDNN", "ONNX Runtime for CUDA", "card", "model", "disk", "muse paints on"];
        Assert.All(parts, part => Assert.Contains(part, text, StringComparison.Ordinal));
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

    // In a process of its own: the loader reads its path when a process starts.
    private static JsonElement[] DoctorWith(string variable, Action<string> fill)
    {
        string folder = Directory.CreateTempSubdirectory("muse-cuda-").FullName;
        try
        {
            fill(folder);
            string program = Path.Combine(AppContext.BaseDirectory, "muse.dll");
            var start = new ProcessStartInfo("dotnet", [program, "doctor", "--json"]) { RedirectStandardOutput = true };
            start.Environment[variable] = folder;
            using Process process = Process.Start(start)!;
            using JsonDocument document = JsonDocument.Parse(process.StandardOutput.ReadToEnd());
            process.WaitForExit();
            return [.. document.RootElement.GetProperty("parts").EnumerateArray().Select(part => part.Clone())];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [DllImport("libc", EntryPoint = "getenv", CharSet = CharSet.Ansi, ExactSpelling = true)]
    private static extern nint NativeEnvironment([MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    private static CudaDiagnosis Diagnosis(Version capability)
    {
        CudaPart fits = new("part", CudaPartState.Fits, "there", "it", "");
        return CudaDiagnosis.Run() with
        {
            Driver = fits,
            Runtime = fits,
            Blas = fits,
            Dnn = fits,
            Provider = fits,
            Cards = [new CudaCard(0, "card", capability, 1L << 34)],
        };
    }
}

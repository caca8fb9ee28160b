using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda;

/// <summary>Whether this machine can paint on an NVIDIA card, part by part, found without touching a card's memory. Runs on any machine.</summary>
public sealed record CudaDiagnosis
{
    /// <summary>CUDA's version that this ONNX Runtime is built for; libraries of another major version do not fit.</summary>
    public const int CudaMajor = 13;

    /// <summary>cuDNN's major version that this ONNX Runtime is built for.</summary>
    public const int DnnMajor = 9;

    private const string Install = "Install the CUDA 13 libraries (https://developer.nvidia.com/cuda-downloads) and see that the loader finds them (LD_LIBRARY_PATH, on Windows PATH).";
    private const string InstallAll = "Install all of the CUDA 13 libraries, cuBLASLt and cuRAND among them (https://developer.nvidia.com/cuda-downloads), and see that the loader finds them (LD_LIBRARY_PATH, on Windows PATH).";
    private const string InstallDnn = "Install cuDNN 9 for CUDA 13 (https://developer.nvidia.com/cudnn-downloads) and see that the loader finds it (LD_LIBRARY_PATH, on Windows PATH).";
    private const string InstallDriver = "Install NVIDIA's driver 580 or newer (https://www.nvidia.com/drivers).";

    private CudaDiagnosis() { }

    /// <summary>The oldest cards that CUDA 13 serves.</summary>
    public static Version LeastComputeCapability { get; } = new(7, 5);

    /// <summary>The driver, with the newest CUDA version that it serves.</summary>
    public required CudaPart Driver { get; init; }

    /// <summary>The CUDA runtime.</summary>
    public required CudaPart Runtime { get; init; }

    /// <summary>cuBLAS.</summary>
    public required CudaPart Blas { get; init; }

    /// <summary>cuDNN.</summary>
    public required CudaPart Dnn { get; init; }

    /// <summary>ONNX Runtime's library for CUDA.</summary>
    public required CudaPart Provider { get; init; }

    /// <summary>The cards that this process may use.</summary>
    public required IReadOnlyList<CudaCard> Cards { get; init; }

    /// <summary>The driver's own version, such as <c>580.82.07</c>, where it tells.</summary>
    public string? DriverRelease { get; init; }

    /// <summary>All parts, in the order in which they need each other.</summary>
    public IReadOnlyList<CudaPart> Parts => [Driver, Runtime, Blas, Dnn, Provider];

    /// <summary>Whether ONNX Runtime's library for CUDA lies beside the program; tells at once, and touches nothing.</summary>
    public static bool HasProvider { get; } = ProviderFolders().Any(folder => File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? "onnxruntime_providers_cuda.dll" : "libonnxruntime_providers_cuda.so")));

    /// <summary>Whether every part fits and the first card is new enough.</summary>
    public bool IsUsable => Problem(0) is null;

    /// <summary>Looks at everything; takes some hundred milliseconds the first time.</summary>
    public static CudaDiagnosis Run()
    {
        (CudaPart driver, IReadOnlyList<CudaCard> cards) = FindDriver();
        CudaPart runtime = FindLibrary("CUDA runtime", CudaLibraries.Runtime, CudaMajor, CudaVersions.Runtime, Install);
        CudaPart blas = FindLibrary("cuBLAS", CudaLibraries.Blas, CudaMajor, CudaVersions.Blas, Install);
        CudaPart dnn = FindLibrary("cuDNN", CudaLibraries.Dnn, DnnMajor, CudaVersions.Dnn, InstallDnn, part => BuiltFor(CudaVersions.DnnCuda(), part));
        bool complete = new[] { driver, runtime, blas, dnn }.All(part => part.State == CudaPartState.Fits);
        return new CudaDiagnosis
        {
            Driver = driver,
            Runtime = runtime,
            Blas = blas,
            Dnn = dnn,
            Provider = FindProvider(complete),
            Cards = cards,
            DriverRelease = Nvml.DriverVersion(),
        };
    }

    /// <summary>What keeps a card from being used, as the exception that says so; null when nothing does.</summary>
    /// <param name="card">The card's number.</param>
    public MuseAtelierException? Problem(int card)
    {
        if (Driver.State != CudaPartState.Fits) return new CudaPartException(Driver);
        if (card >= Cards.Count) return new CudaCardMissingException(card, Cards.Count);
        if (Cards[card].ComputeCapability < LeastComputeCapability) return new CudaCardTooOldException(Cards[card]);
        // The provider last: it fails where any of the others does, and says less well why.
        return Parts.FirstOrDefault(part => part.State is not (CudaPartState.Fits or CudaPartState.NotTried)) is { } part ? new CudaPartException(part) : null;
    }

    /// <summary>Throws what <see cref="Problem"/> gives.</summary>
    /// <param name="card">The card's number.</param>
    /// <exception cref="CudaPartException">A part is missing or does not fit.</exception>
    /// <exception cref="CudaCardMissingException">There is no such card.</exception>
    /// <exception cref="CudaCardTooOldException">The card is too old.</exception>
    public void ThrowIfUnusable(int card)
    {
        if (Problem(card) is { } problem) throw problem;
    }

    /// <summary>What a fitting cuDNN is when its build for a CUDA version is looked at too: there is one for each, under the same name.</summary>
    internal static CudaPart BuiltFor(Version cuda, CudaPart dnn) => cuda.Major == CudaMajor
        ? dnn
        : dnn with { State = CudaPartState.WrongVersion, Found = FormattableString.Invariant($"{dnn.Found}, built for CUDA {cuda.Major}"), Expected = FormattableString.Invariant($"{dnn.Expected}, built for CUDA {CudaMajor}"), Remedy = InstallDnn };

    /// <summary>Why ONNX Runtime's library for CUDA does not load, out of what ONNX Runtime says: without the place in its source, and whether the system's loader said so.</summary>
    internal static (string Reason, bool LacksLibrary) LoadFailure(string message)
    {
        const string before = "with error: ";
        string line = message.ReplaceLineEndings(" ").Trim();
        int at = line.LastIndexOf(before, StringComparison.Ordinal);
        return at < 0 ? (line, false) : (line[(at + before.Length)..], true);
    }

    private static IEnumerable<string> ProviderFolders() =>
        [AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", OperatingSystem.IsWindows() ? "win-x64" : "linux-x64", "native")];

    private static (CudaPart Driver, IReadOnlyList<CudaCard> Cards) FindDriver()
    {
        const string name = "NVIDIA driver", expected = "a driver that serves CUDA 13";
        if (CudaLibraries.Load(CudaLibraries.Driver) == 0)
            return (new CudaPart(name, CudaPartState.Missing, $"{CudaLibraries.FileNames(CudaLibraries.Driver)[0]} is not there", expected, InstallDriver), []);
        try
        {
            int code = CudaDriver.Start();
            if (code is not (CudaDriver.Success or CudaDriver.ErrorNoDevice))
                return (new CudaPart(name, CudaPartState.Fails, $"it does not start ({CudaDriver.Name(code)})", expected, "Restart the machine after an update of the driver; in a container, give it the card (--gpus all)."), []);
            if (CudaDriver.Version() is not { } number) return (new CudaPart(name, CudaPartState.Fails, "it does not tell its version", expected, InstallDriver), []);
            Version version = CudaVersions.OfCuda(number);
            CudaPart part = version.Major < CudaMajor
                ? new CudaPart(name, CudaPartState.WrongVersion, $"it serves CUDA {version} at most", expected, InstallDriver)
                : new CudaPart(name, CudaPartState.Fits, $"serves CUDA {version}", expected, "");
            return (part with { Version = version }, code == CudaDriver.Success ? CudaDriver.Cards() : []);
        }
        catch (EntryPointNotFoundException exception)
        {
            return (new CudaPart(name, CudaPartState.Fails, $"it is incomplete ({exception.Message})", expected, InstallDriver), []);
        }
    }

    private static CudaPart FindLibrary(string name, string library, int major, Func<Version?> version, string remedy, Func<CudaPart, CudaPart>? lookCloser = null)
    {
        string file = CudaLibraries.FileNames(library)[0], expected = FormattableString.Invariant($"version {major} ({file})");
        if (CudaLibraries.Load(library) == 0) return new CudaPart(name, CudaPartState.Missing, $"{file} is not there", expected, remedy);
        try
        {
            Version? found = version();
            if (found is null) return new CudaPart(name, CudaPartState.Fails, "it does not tell its version", expected, remedy);
            if (found.Major != major) return new CudaPart(name, CudaPartState.WrongVersion, $"version {found}", expected, remedy) { Version = found };
            var part = new CudaPart(name, CudaPartState.Fits, $"version {found}", expected, "") { Version = found };
            return lookCloser?.Invoke(part) ?? part;
        }
        catch (EntryPointNotFoundException exception)
        {
            return new CudaPart(name, CudaPartState.Fails, $"it is incomplete ({exception.Message})", expected, remedy);
        }
    }

    private static CudaPart FindProvider(bool complete)
    {
        const string name = "ONNX Runtime for CUDA", expected = "ONNX Runtime with its CUDA library beside the program";
        const string remedy = "Build with -p:CudaRuntime=true, or put libonnxruntime, libonnxruntime_providers_shared and libonnxruntime_providers_cuda of Microsoft.ML.OnnxRuntime.Gpu beside the program.";
        if (!HasProvider) return new CudaPart(name, CudaPartState.Missing, "no CUDA library of ONNX Runtime lies beside the program", expected, remedy);
        if (!complete) return new CudaPart(name, CudaPartState.NotTried, "there, but not tried: it needs the parts above", expected, "");
        try
        {
            // Without an environment its log would go to the terminal.
            OnnxEnvironment.Prepare(Environment.ProcessorCount, null);
            if (!OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"))
                return new CudaPart(name, CudaPartState.Fails, "the ONNX Runtime beside it is built for processors only", expected, remedy);
            using var options = new OrtCUDAProviderOptions();
            // Only this loads the library: options alone are there without it.
            options.UpdateOptions(new Dictionary<string, string> { ["use_tf32"] = "0" });
            return new CudaPart(name, CudaPartState.Fits, $"version {OrtEnv.Instance().GetVersionString()}, it loads", expected, "");
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException or TypeInitializationException)
        {
            (string reason, bool lacksLibrary) = LoadFailure((exception.InnerException ?? exception).Message);
            return new CudaPart(name, CudaPartState.Fails, $"it does not load ({reason})", expected, lacksLibrary ? InstallAll : remedy);
        }
    }
}

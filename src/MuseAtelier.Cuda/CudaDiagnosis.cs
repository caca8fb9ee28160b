using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda;

/// <summary>
/// Checks each part that CUDA needs to paint on an NVIDIA card. The diagnosis allocates no memory of a card, and runs on any machine.
/// </summary>
public sealed record CudaDiagnosis
{
    /// <summary>The major version of CUDA that ONNX Runtime is built for. Libraries of another major version do not fit.</summary>
    public const int CudaMajor = 13;

    /// <summary>The major version of cuDNN that ONNX Runtime is built for.</summary>
    public const int DnnMajor = 9;

    private const string Toolkit = "Install the CUDA 13 libraries (https://developer.nvidia.com/cuda-downloads), cuBLASLt and cuRAND "
        + "among them.";
    private const string Neural = "Install cuDNN 9 for CUDA 13 (https://developer.nvidia.com/cudnn-downloads).";
    private const string NotADriver =
        "What is there is no driver: a damaged file, or the empty file that a container holds until it is started with the card (--gpus "
            + "all). Remove it, or install NVIDIA's driver 580 or newer (https://www.nvidia.com/drivers).";

    private static readonly string Searched = SearchedPlaces(OperatingSystem.IsWindows());
    private static readonly string Install = Toolkit + Searched;
    private static readonly string InstallDnn = Neural + Searched;

    private const string DriverName = "NVIDIA driver";
    private const string RuntimeName = "CUDA runtime";
    private const string BlasName = "cuBLAS";
    private const string DnnName = "cuDNN";
    private const string ProviderName = "ONNX Runtime for CUDA";
    private const string CudaProvider = "CUDAExecutionProvider";

    private CudaDiagnosis() { }

    /// <summary>The compute capability of the oldest cards that CUDA 13 supports.</summary>
    public static Version LeastComputeCapability { get; } = new(7, 5);

    /// <summary>The driver. Its version is the newest CUDA version that it supports.</summary>
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

    /// <summary>The driver's own version, such as <c>580.82.07</c>; null if unknown.</summary>
    public string? DriverRelease { get; init; }

    /// <summary>All parts, in the order in which they depend on each other.</summary>
    public IReadOnlyList<CudaPart> Parts => [Driver, Runtime, Blas, Dnn, Provider];

    /// <summary>Whether ONNX Runtime's library for CUDA lies beside the program. Only looks for the file, and loads nothing.</summary>
    public static bool HasProvider { get; } =
        ProviderFolders().Any(folder => File.Exists(Path.Combine(folder, ProviderFiles(OperatingSystem.IsWindows())[^1])));

    /// <summary>Whether every part fits and the first card is new enough.</summary>
    public bool IsUsable => Problem(0) is null;

    /// <summary>Checks every part. The first call takes some hundred milliseconds.</summary>
    public static CudaDiagnosis Run()
    {
        if (OperatingSystem.IsMacOS()) return WithoutCards("there are no NVIDIA cards for macOS");
        (CudaPart driver, IReadOnlyList<CudaCard> cards) = FindDriver();
        CudaPart runtime = FindLibrary(RuntimeName, CudaLibraries.Runtime, CudaMajor, CudaVersions.Runtime, Install);
        CudaPart blas = FindLibrary(BlasName, CudaLibraries.Blas, CudaMajor, CudaVersions.Blas, Install);
        CudaPart dnn = FindLibrary(
            DnnName, CudaLibraries.Dnn, DnnMajor, CudaVersions.Dnn, InstallDnn, part => BuiltFor(CudaVersions.DnnCuda(), part));
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

    /// <summary>The exception with the reason that a card cannot be used; null if it can be.</summary>
    /// <param name="card">The card's number.</param>
    public MuseAtelierException? Problem(int card)
    {
        if (Driver.State != CudaPartState.Fits) return new CudaPartException(Driver);
        if (card >= Cards.Count) return new CudaCardMissingException(card, Cards.Count);
        if (Cards[card].ComputeCapability < LeastComputeCapability) return new CudaCardTooOldException(Cards[card]);
        // The provider must be checked last, because it fails where any other part does, and its message is less clear.
        CudaPart? bad = Parts.FirstOrDefault(part => part.State is not (CudaPartState.Fits or CudaPartState.NotTried));
        return bad is null ? null : new CudaPartException(bad);
    }

    /// <summary>Throws the exception that <see cref="Problem"/> returns, if any.</summary>
    /// <param name="card">The card's number.</param>
    /// <exception cref="CudaPartException">A part is missing or does not fit.</exception>
    /// <exception cref="CudaCardMissingException">There is no such card.</exception>
    /// <exception cref="CudaCardTooOldException">The card is too old.</exception>
    public void ThrowIfUnusable(int card)
    {
        if (Problem(card) is { } problem) throw problem;
    }

    /// <summary>
    /// Checks the CUDA version that a fitting cuDNN is built for, because there is a build for each major version under the same file name.
    /// </summary>
    internal static CudaPart BuiltFor(Version cuda, CudaPart dnn) => cuda.Major == CudaMajor
        ? dnn
        : dnn with
        {
            State = CudaPartState.WrongVersion,
            Found = FormattableString.Invariant($"{dnn.Found}, built for CUDA {cuda.Major}"),
            Expected = FormattableString.Invariant($"{dnn.Expected}, built for CUDA {CudaMajor}"),
            Remedy = InstallDnn,
        };

    /// <summary>The diagnosis of a system that cannot have CUDA cards; no part is looked for.</summary>
    /// <param name="reason">Why the system has none.</param>
    internal static CudaDiagnosis WithoutCards(string reason)
    {
        CudaPart NotTried(string name) => new(name, CudaPartState.NotTried, "not looked for", "an NVIDIA card", "");
        return new CudaDiagnosis
        {
            Driver = new CudaPart(
                DriverName,
                CudaPartState.Missing,
                reason,
                "an NVIDIA card under Linux or Windows",
                "Paint on the processor (CpuBackend.Create; muse: --device cpu)."),
            Runtime = NotTried(RuntimeName),
            Blas = NotTried(BlasName),
            Dnn = NotTried(DnnName),
            Provider = NotTried(ProviderName),
            Cards = [],
        };
    }

    /// <summary>Extracts from ONNX Runtime's message why its library for CUDA does not load, on Linux or on Windows.</summary>
    /// <param name="message">ONNX Runtime's message.</param>
    /// <returns>The reason in one line, without the place in the source; and whether a library that it needs is missing.</returns>
    internal static (string Reason, bool LacksLibrary) LoadFailure(string message)
    {
        const string linux = "with error: ", windows = "Error loading ", depends = "which depends on ";
        string line = message.ReplaceLineEndings(" ").Trim();
        int at = line.LastIndexOf(linux, StringComparison.Ordinal);
        if (at >= 0) return (line[(at + linux.Length)..], true);
        at = line.LastIndexOf(windows, StringComparison.Ordinal);
        return at < 0 ? (line, false) : (line[at..], line.Contains(depends, StringComparison.Ordinal));
    }

    /// <summary>The remedy where ONNX Runtime's library for CUDA does not load.</summary>
    /// <param name="reason">Why it does not load.</param>
    /// <param name="lacksLibrary">Whether a library that it needs is missing.</param>
    internal static string ProviderRemedy(string reason, bool lacksLibrary)
    {
        if (!lacksLibrary) return BringProvider(OperatingSystem.IsWindows(), RuntimeInformation.ProcessArchitecture);
        bool Names(string library) => reason.Contains(library, StringComparison.OrdinalIgnoreCase);
        if (Names("VCRUNTIME") || Names("MSVCP"))
            return "Install Microsoft's Visual C++ Redistributable 2015-2022 for x64, 14.40 or newer "
                + "(https://aka.ms/vs/17/release/vc_redist.x64.exe).";
        return Names("cudnn") ? InstallDnn : Install;
    }

    /// <summary>The remedy where ONNX Runtime's library for CUDA is missing, with its file names on a system.</summary>
    /// <param name="windows">Whether the system is Windows.</param>
    /// <param name="architecture">The system's architecture.</param>
    internal static string BringProvider(bool windows, Architecture architecture)
    {
        string files = string.Join(", ", ProviderFiles(windows));
        return architecture == Architecture.X64
            ? $"Build muse with -p:CudaRuntime=true; in a program of your own, reference the package MuseAtelier.Cuda; or put {files} of "
                + "Microsoft.ML.OnnxRuntime.Gpu beside the program."
            : $"Microsoft.ML.OnnxRuntime.Gpu holds libraries for x64 only, and this is {architecture}. "
                + $"Build ONNX Runtime for CUDA yourself, and put {files} beside the program.";
    }

    private static string[] ProviderFiles(bool windows) => windows
        ? ["onnxruntime.dll", "onnxruntime_providers_shared.dll", "onnxruntime_providers_cuda.dll"]
        : ["libonnxruntime.so", "libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"];

    private static string SearchedPlaces(bool windows)
    {
        string variable = windows ? "PATH" : "LD_LIBRARY_PATH";
        return $" They were looked for in {CudaFolders.Places(windows)}. If they lie elsewhere, add their folder to {variable}.";
    }

    private static IEnumerable<string> ProviderFolders()
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        string identifier = $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        return [AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", identifier, "native")];
    }

    private static (CudaPart Driver, IReadOnlyList<CudaCard> Cards) FindDriver()
    {
        const string expected = "a driver that serves CUDA 13";
        CudaPart Bad(CudaPartState state, string found, string remedy) => new(DriverName, state, found, expected, remedy);
        if (CudaLibraries.Load(CudaLibraries.Driver) == 0)
        {
            string file = CudaLibraries.FileNames(CudaLibraries.Driver)[0];
            return CudaLibraries.Failure(CudaLibraries.Driver) is { } reason
                ? (Bad(CudaPartState.Fails, $"it does not load ({reason})", NotADriver), [])
                : (Bad(CudaPartState.Missing, $"{file} is not there", CudaRemedies.InstallDriver), []);
        }

        try
        {
            int code = CudaDriver.Start();
            if (code is not (CudaDriver.Success or CudaDriver.ErrorNoDevice))
            {
                string found = FormattableString.Invariant($"it does not start ({CudaDriver.Name(code)}, {code})");
                return (Bad(CudaPartState.Fails, found, CudaRemedies.OfStart(code)), []);
            }

            if (CudaDriver.Version() is not { } number)
                return (Bad(CudaPartState.Fails, "it does not tell its version", CudaRemedies.InstallDriver), []);
            Version version = CudaVersions.OfCuda(number);
            CudaPart part = version.Major < CudaMajor
                ? Bad(CudaPartState.WrongVersion, $"it serves CUDA {version} at most", CudaRemedies.InstallDriver)
                : Bad(CudaPartState.Fits, $"serves CUDA {version}", "");
            return (part with { Version = version }, code == CudaDriver.Success ? CudaDriver.Cards() : []);
        }
        catch (EntryPointNotFoundException exception)
        {
            return (Bad(CudaPartState.Fails, $"it is incomplete ({exception.Message})", NotADriver), []);
        }
    }

    private static CudaPart FindLibrary(
        string name, string library, int major, Func<Version?> version, string remedy, Func<CudaPart, CudaPart>? lookCloser = null)
    {
        string file = CudaLibraries.FileNames(library)[0];
        string expected = FormattableString.Invariant($"version {major} ({file})");
        CudaPart Bad(CudaPartState state, string found) => new(name, state, found, expected, remedy);
        if (CudaLibraries.Load(library) == 0)
        {
            return CudaLibraries.Failure(library) is { } reason
                ? Bad(CudaPartState.Fails, $"it does not load ({reason})")
                : Bad(CudaPartState.Missing, $"{file} is not there");
        }

        try
        {
            Version? found = version();
            if (found is null) return Bad(CudaPartState.Fails, "it does not tell its version");
            if (found.Major != major) return Bad(CudaPartState.WrongVersion, $"version {found}") with { Version = found };
            var part = new CudaPart(name, CudaPartState.Fits, $"version {found}", expected, "") { Version = found };
            return lookCloser?.Invoke(part) ?? part;
        }
        catch (EntryPointNotFoundException exception)
        {
            return Bad(CudaPartState.Fails, $"it is incomplete ({exception.Message})");
        }
    }

    private static CudaPart FindProvider(bool complete)
    {
        const string expected = "ONNX Runtime with its CUDA library beside the program";
        CudaPart Of(CudaPartState state, string found, string remedy) => new(ProviderName, state, found, expected, remedy);
        string bring = BringProvider(OperatingSystem.IsWindows(), RuntimeInformation.ProcessArchitecture);
        if (!HasProvider) return Of(CudaPartState.Missing, "no CUDA library of ONNX Runtime lies beside the program", bring);
        try
        {
            List<string> providers = AvailableProviders();
            if (!providers.Contains(CudaProvider))
            {
                string found = $"the ONNX Runtime beside it is built for processors only ({string.Join(", ", providers)})";
                return Of(CudaPartState.Fails, found, bring);
            }

            if (!complete) return Of(CudaPartState.NotTried, $"there, with {CudaProvider}, but not tried: it needs the parts above", "");
            // Without an environment of the engine's, ONNX Runtime would log to the terminal.
            OnnxEnvironment.Prepare(Environment.ProcessorCount, spins: true);
            using var options = new OrtCUDAProviderOptions();
            // Only this call loads the library; the options alone exist without it.
            options.UpdateOptions(new Dictionary<string, string> { ["use_tf32"] = "0" });
            return Of(CudaPartState.Fits, $"version {OrtEnv.Instance().GetVersionString()}, it loads", "");
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException
            or TypeInitializationException or MuseAtelierException)
        {
            (string reason, bool lacksLibrary) = LoadFailure((exception.InnerException ?? exception).Message);
            return Of(CudaPartState.Fails, $"it does not load ({reason})", ProviderRemedy(reason, lacksLibrary));
        }
    }

    // Uses the C interface, which needs no environment, because the first environment decides the threads of the whole process.
    private static unsafe List<string> AvailableProviders()
    {
        byte** names = null;
        int count = 0;
        OrtInterface.Check(((delegate* unmanaged[Cdecl]<byte***, int*, nint>)OrtInterface.Api->GetAvailableProviders)(&names, &count));
        try
        {
            var found = new List<string>(count);
            for (int i = 0; i < count; i++) found.Add(Marshal.PtrToStringUTF8((nint)names[i]) ?? "");
            return found;
        }
        finally
        {
            OrtInterface.Check(((delegate* unmanaged[Cdecl]<byte**, int, nint>)OrtInterface.Api->ReleaseAvailableProviders)(names, count));
        }
    }
}

using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Host;

namespace MuseAtelier.Runtime;

/// <summary>
/// ONNX Runtime's process-wide environment. When MuseAtelier is the first to use it, all sessions share one pool of threads and one arena,
/// and its log goes to the host's logger; when the host made it earlier, it stays as the host wants it.
/// </summary>
internal static class OnnxEnvironment
{
    // What the engine starts beside: watching, tokens, .NET's own for work that waits.
    private const int SpareThreads = 4;

    private static readonly Lock Gate = new();
    private static readonly DOrtLoggingFunction Log = Write;
    private static ILogger? _logger;
    private static bool _ours;

    /// <summary>
    /// Threads of the pool that all sessions share, the calling one among them; 0 where the host made the environment and there is no
    /// such pool.
    /// </summary>
    public static int SharedThreads { get; private set; }

    /// <summary>Makes sure that the environment is there. Gives whether sessions may share its threads and arena.</summary>
    /// <param name="threads">Threads of the arithmetic.</param>
    /// <param name="loggers">Where the log goes; null means nowhere.</param>
    /// <exception cref="OnnxRuntimeLibraryException">The native library cannot be used.</exception>
    /// <exception cref="ThreadLimitException">The system does not start so many threads.</exception>
    /// <exception cref="OnnxEnvironmentException">ONNX Runtime does not start for another reason.</exception>
    public static bool Prepare(int threads, ILoggerFactory? loggers)
    {
        lock (Gate)
        {
            OnnxLibrary.Require();
            _logger = loggers?.CreateLogger("MuseAtelier.OnnxRuntime") ?? _logger;
            if (OrtEnv.IsCreated) return _ours;
            // ONNX Runtime crashes, or fails without saying at what, where a thread does not start.
            HostThreads.Require(threads + SpareThreads);
            try
            {
                Create(threads);
            }
            catch (Exception exception) when (exception is OnnxRuntimeException or OutOfMemoryException or TypeInitializationException or SEHException)
            {
                throw new OnnxEnvironmentException(exception.InnerException ?? exception);
            }

            SharedThreads = threads;
            return _ours = true;
        }
    }

    private static void Create(int threads)
    {
        // Threads that wait for work in a loop take the processors from those that have some, where there are more threads than
        // processors.
        bool spins = threads <= Environment.ProcessorCount;
        using var threading = new OrtThreadingOptions
        {
            GlobalIntraOpNumThreads = threads,
            GlobalInterOpNumThreads = 1,
            GlobalSpinControl = spins,
        };
        var options = new EnvironmentCreationOptions
        {
            logId = "MuseAtelier",
            logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING,
            threadOptions = threading,
            loggingFunction = Log,
        };
        OrtEnv environment = OrtEnv.CreateInstanceWithOptions(ref options);
        using var memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
        // Grown by what is asked for: doubling would leave up to half of it unused.
        const int sameAsRequested = 1, unset = -1;
        using var arena = new OrtArenaCfg(0, sameAsRequested, unset, unset);
        environment.CreateAndRegisterAllocator(memory, arena);
    }

    private static void Write(IntPtr parameter, OrtLoggingLevel severity, string category, string logId, string codeLocation, string message)
    {
        ILogger? logger = _logger;
        if (logger is null) return;
        LogLevel level = severity switch
        {
            OrtLoggingLevel.ORT_LOGGING_LEVEL_VERBOSE => LogLevel.Trace,
            OrtLoggingLevel.ORT_LOGGING_LEVEL_INFO => LogLevel.Debug,
            OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING => LogLevel.Warning,
            OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR => LogLevel.Error,
            _ => LogLevel.Critical,
        };
        if (!logger.IsEnabled(level)) return;
#pragma warning disable CA1848, CA2254 // The text is ONNX Runtime's own; there is no template to define ahead.
        logger.Log(level, "{Location}: {Message}", codeLocation, message);
#pragma warning restore CA1848, CA2254
    }
}

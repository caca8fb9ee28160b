using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Limits;

namespace MuseAtelier.Runtime;

/// <summary>
/// The process-wide environment of ONNX Runtime. If MuseAtelier creates it, all sessions share one thread pool and one arena, and its log
/// goes to <see cref="OnnxLog"/>. If the host created it earlier, it stays unchanged.
/// </summary>
internal static class OnnxEnvironment
{
    // Threads that the engine and .NET start besides the pool: for sampling memory, for cancellation and for queued work.
    private const int SpareThreads = 4;

    private static readonly Lock Gate = new();
    private static readonly DOrtLoggingFunction Log = Write;
    private static bool _ours;

    /// <summary>
    /// The number of threads of the pool that all sessions share, including the calling thread; 0 if the host created the environment, so
    /// that there is no such pool.
    /// </summary>
    public static int SharedThreads { get; private set; }

    /// <summary>Whether threads of that pool keep their processors busy for a while when they wait for work.</summary>
    public static bool Spins { get; private set; }

    /// <summary>Creates the environment if there is none. Returns whether sessions may share its threads and arena.</summary>
    /// <param name="threads">The number of threads that compute.</param>
    /// <param name="spins">Whether threads that wait for work keep their processors busy for a while before they sleep.</param>
    /// <exception cref="OnnxRuntimeLibraryException">The native library cannot be used.</exception>
    /// <exception cref="ThreadLimitException">The system refuses so many threads.</exception>
    /// <exception cref="OnnxEnvironmentException">ONNX Runtime does not start for another reason.</exception>
    public static bool Prepare(int threads, bool spins)
    {
        lock (Gate)
        {
            OnnxLibrary.Require();
            if (OrtEnv.IsCreated) return _ours;
            // The threads must be tried first, because ONNX Runtime crashes or fails without a reason if a thread does not start.
            HostThreads.Require(threads + SpareThreads);
            try
            {
                Create(threads, spins);
            }
            catch (Exception exception)
                when (exception is OnnxRuntimeException or OutOfMemoryException or TypeInitializationException or SEHException)
            {
                throw new OnnxEnvironmentException(exception.InnerException ?? exception);
            }

            SharedThreads = threads;
            Spins = spins;
            return _ours = true;
        }
    }

    private static void Create(int threads, bool spins)
    {
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
        // The arena must grow by the requested size, because doubling would leave up to half of it unused.
        const int sameAsRequested = 1, unset = -1;
        using var arena = new OrtArenaCfg(0, sameAsRequested, unset, unset);
        environment.CreateAndRegisterAllocator(memory, arena);
    }

    private static void Write(IntPtr parameter, OrtLoggingLevel severity, string category, string logId, string codeLocation,
        string message) => OnnxLog.Write(severity, logId, codeLocation, message);
}

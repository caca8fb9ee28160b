namespace MuseAtelier.Cuda;

/// <summary>How an atelier uses its NVIDIA card. The options do not change after the atelier was opened.</summary>
public sealed record CudaOptions
{
    /// <summary>The card's number, as CUDA counts them. The default is 0, the first card.</summary>
    public int Card { get; init; }

    /// <summary>
    /// Whether a picture's steps are captured once as a CUDA graph and then replayed, which saves the host's time between kernels. The
    /// default is true.
    /// </summary>
    public bool CaptureSteps { get; init; } = true;

    /// <summary>
    /// Threads that create sessions while weights are loaded; 0 creates each session when it is first needed. The default is 4.
    /// </summary>
    public int SessionThreads { get; init; } = 4;

    /// <summary>
    /// Threads that read weights from the package's files, at least 1. The default is the number of processors, 8 at most.
    /// </summary>
    public int ReaderThreads { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 8);
}

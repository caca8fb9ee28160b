namespace MuseAtelier.Cuda;

/// <summary>How an atelier uses its NVIDIA card; fixed while it lives.</summary>
public sealed record CudaOptions
{
    /// <summary>The card's number, as CUDA counts them.</summary>
    public int Card { get; init; }

    /// <summary>Whether the steps of a picture are recorded once and then repeated as one piece, which saves the host's time between kernels.</summary>
    public bool CaptureSteps { get; init; } = true;

    /// <summary>Threads that create sessions while weights are loaded; 0 creates each when it is first needed.</summary>
    public int SessionThreads { get; init; } = 4;

    /// <summary>Threads that read weights from the package's files.</summary>
    public int ReaderThreads { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 8);
}

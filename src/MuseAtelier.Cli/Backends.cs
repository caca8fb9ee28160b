using MuseAtelier.Cpu;
using MuseAtelier.Cuda;

namespace MuseAtelier.Cli;

/// <summary>On what the user wants to paint.</summary>
internal enum DeviceChoice
{
    /// <summary>On an NVIDIA card where everything for it is there, else on the processor.</summary>
    Auto,

    /// <summary>On the processor.</summary>
    Cpu,

    /// <summary>On an NVIDIA card, or not at all.</summary>
    Cuda,
}

/// <summary>Chooses what paints. ONNX Runtime's native library for processors comes with the program; put into its place, the one for CUDA serves both.</summary>
internal static class Backends
{
    /// <summary>What <c>--device</c> means, for help texts.</summary>
    public const string Help = "What paints: cuda (an NVIDIA card), cpu, or auto, which is cuda where 'muse doctor' finds everything for it.";

    /// <summary>The backend for a choice.</summary>
    /// <param name="device">The choice.</param>
    /// <param name="threads">Threads of the processor's arithmetic; 0 means one for each core.</param>
    /// <param name="cuda">How a card is used; null means what suits most.</param>
    public static Backend Create(DeviceChoice device, int threads = 0, CudaOptions? cuda = null) =>
        device == DeviceChoice.Cuda || (device == DeviceChoice.Auto && HasCard(cuda?.Card ?? 0)) ? CudaBackend.Create(cuda) : CpuBackend.Create(threads);

    // The file first: without it there is nothing to diagnose, and most machines stop here.
    private static bool HasCard(int card) => CudaDiagnosis.HasProvider && CudaDiagnosis.Run().Problem(card) is null;
}

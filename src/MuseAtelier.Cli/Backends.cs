using MuseAtelier.Cpu;
using MuseAtelier.Cuda;

namespace MuseAtelier.Cli;

/// <summary>The device that the user chooses.</summary>
internal enum DeviceChoice
{
    /// <summary>An NVIDIA card if everything that it needs is installed, else the processor.</summary>
    Auto,

    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>An NVIDIA card. Without one, opening the model fails.</summary>
    Cuda,
}

/// <summary>
/// Creates the backend for a device. The program ships with ONNX Runtime's native library for processors; the library for CUDA, which may
/// replace it, supports both devices.
/// </summary>
internal static class Backends
{
    /// <summary>The description of <c>--device</c> in help texts.</summary>
    public const string Help = "The device that paints: cuda (an NVIDIA card), cpu, or auto, which means cuda if 'muse doctor' finds "
        + "everything that it needs.";

    /// <summary>The backend for a choice.</summary>
    /// <param name="device">The choice.</param>
    /// <param name="threads">Number of threads that compute on the processor; 0 means one per core.</param>
    /// <param name="cuda">How a card is used; null means the defaults.</param>
    public static Backend Create(DeviceChoice device, int threads = 0, CudaOptions? cuda = null)
    {
        bool isCard = device == DeviceChoice.Cuda || (device == DeviceChoice.Auto && HasCard(cuda?.Card ?? 0));
        return isCard ? CudaBackend.Create(cuda) : CpuBackend.Create(threads);
    }

    // Looks for the provider's file first, because the diagnosis needs it and most machines do not have it.
    private static bool HasCard(int card) => CudaDiagnosis.HasProvider && CudaDiagnosis.Run().Problem(card) is null;
}

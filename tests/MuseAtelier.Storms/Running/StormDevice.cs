using MuseAtelier.Cpu;
using MuseAtelier.Cuda;

namespace MuseAtelier.Storms.Running;

/// <summary>On what a storm paints.</summary>
internal enum StormDevice
{
    /// <summary>On the processor.</summary>
    Cpu,

    /// <summary>On the first NVIDIA card.</summary>
    Cuda,
}

/// <summary>What differs between the devices.</summary>
internal static class StormDevices
{
    private static readonly Lazy<string?> CardProblem = new(() => CudaDiagnosis.Run().Problem(0)?.Message);

    /// <summary>Why a device cannot be used here; null where it can.</summary>
    public static string? Problem(this StormDevice device) => device == StormDevice.Cuda ? CardProblem.Value : null;

    /// <summary>A backend of its own.</summary>
    public static Backend Create(this StormDevice device) => device == StormDevice.Cuda ? CudaBackend.Create() : CpuBackend.Create();

    /// <summary>Skips a test where a device cannot be used, and says why.</summary>
    public static void Require(this StormDevice device) => Assert.SkipWhen(device.Problem() is not null, $"No card to run on: {device.Problem()}");

    /// <summary>The device's name for a command line.</summary>
    public static string Name(this StormDevice device) => device == StormDevice.Cuda ? "cuda" : "cpu";
}

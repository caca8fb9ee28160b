using MuseAtelier.Cpu;
using MuseAtelier.Cuda;

namespace MuseAtelier.Storms.Running;

/// <summary>The device of a storm.</summary>
internal enum StormDevice
{
    /// <summary>The CPU.</summary>
    Cpu,

    /// <summary>The first NVIDIA card.</summary>
    Cuda,
}

/// <summary>The differences between the devices.</summary>
internal static class StormDevices
{
    private static readonly Lazy<string?> CardProblem = new(() => CudaDiagnosis.Run().Problem(0)?.Message);

    /// <summary>Returns the reason that a device cannot be used here; null if it can.</summary>
    public static string? Problem(this StormDevice device) => device == StormDevice.Cuda ? CardProblem.Value : null;

    /// <summary>Whether threads of the CPU that wait may spin. They do so for a user, and must not where other programs run too.</summary>
    public static bool Spins { get; set; } = true;

    /// <summary>Creates a new backend.</summary>
    public static Backend Create(this StormDevice device) =>
        device == StormDevice.Cuda ? CudaBackend.Create() : CpuBackend.Create(spins: Spins);

    /// <summary>Skips a test if a device cannot be used, with the reason.</summary>
    public static void Require(this StormDevice device) =>
        Assert.SkipWhen(device.Problem() is not null, $"No card to run on: {device.Problem()}");

    /// <summary>Returns the device's name on the command line.</summary>
    public static string Name(this StormDevice device) => device == StormDevice.Cuda ? "cuda" : "cpu";
}

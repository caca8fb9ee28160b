namespace MuseAtelier.Cuda.Native;

/// <summary>
/// Bounds the memory that a context sets aside for the stacks of all threads that a card can run at once. At the default of 1 KiB for each that
/// is half of what an H200's context takes: 526 MiB instead of 294. Only code that calls functions it does not know needs such stacks; no
/// kernel of the engine or of NVIDIA's libraries that it runs does, and the driver gives a kernel what it declares whatever the bound.
/// </summary>
internal static class DeviceStacks
{
    /// <summary>Bytes for each thread, unless the host program has chosen its own.</summary>
    public const nuint Bytes = 128;

    /// <summary>Bytes for each thread that a context sets aside by itself.</summary>
    public const nuint DefaultBytes = 1024;

    /// <summary>Sets the bound for the current card's context.</summary>
    public static void Bound()
    {
        CudaRuntime.Check(CudaRuntime.DeviceGetLimit(out nuint present, CudaRuntime.LimitStackSize), nameof(CudaRuntime.DeviceGetLimit));
        if (present == DefaultBytes) CudaRuntime.Check(CudaRuntime.DeviceSetLimit(CudaRuntime.LimitStackSize, Bytes), nameof(CudaRuntime.DeviceSetLimit));
    }
}

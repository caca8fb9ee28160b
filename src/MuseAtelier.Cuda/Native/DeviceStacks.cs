namespace MuseAtelier.Cuda.Native;

/// <summary>
/// Limits the memory that a context reserves for the stacks of all threads that a card can run at once. At the default of 1 KiB for each
/// thread the stacks are half of an H200's context: it takes 526 MiB instead of 294. Only kernels that call functions unknown at compile
/// time need such stacks. None of the engine's kernels or of those that it runs from NVIDIA's libraries do, and the driver gives every
/// kernel the stack that it declares, whatever the limit.
/// </summary>
internal static class DeviceStacks
{
    /// <summary>Bytes for each thread, unless the host program has set another limit.</summary>
    public const nuint Bytes = 128;

    /// <summary>Bytes for each thread by default.</summary>
    public const nuint DefaultBytes = 1024;

    /// <summary>Sets the limit for the current card's context.</summary>
    public static void Bound()
    {
        int code = CudaRuntime.DeviceGetLimit(out nuint present, CudaRuntime.LimitStackSize);
        CudaRuntime.Check(code, nameof(CudaRuntime.DeviceGetLimit));
        if (present != DefaultBytes) return;
        CudaRuntime.Check(CudaRuntime.DeviceSetLimit(CudaRuntime.LimitStackSize, Bytes), nameof(CudaRuntime.DeviceSetLimit));
    }
}

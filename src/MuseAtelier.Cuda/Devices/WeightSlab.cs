namespace MuseAtelier.Cuda.Devices;

/// <summary>The places of several stages' weights in one block of device memory, one after the other.</summary>
internal static class WeightSlab
{
    /// <summary>Bytes of the block.</summary>
    public static long Bytes(IReadOnlyList<StageMemory> stages) => stages.Sum(stage => DeviceMemory.Align(stage.Bytes));

    /// <summary>Gives each stage its address.</summary>
    /// <param name="stages">The stages.</param>
    /// <param name="address">Address of the block.</param>
    public static void Place(IReadOnlyList<StageMemory> stages, nint address)
    {
        nint next = address;
        foreach (StageMemory stage in stages)
        {
            stage.Device = next;
            next += (nint)DeviceMemory.Align(stage.Bytes);
        }
    }
}

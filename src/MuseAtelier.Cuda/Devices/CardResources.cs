namespace MuseAtelier.Cuda.Devices;

/// <summary>The streams of an engine on a card, and the count of the memory that it takes there.</summary>
/// <param name="Card">The card's number, as CUDA counts them.</param>
/// <param name="Compute">The stream of all runs, and of the copies that belong to them; borrowed.</param>
/// <param name="Copies">The stream that copies weights while runs are executed; borrowed.</param>
/// <param name="Usage">Counts the device memory that the engine allocates outside ONNX Runtime.</param>
internal sealed record CardResources(int Card, CudaStream Compute, CudaStream Copies, DeviceUsage Usage)
{
    /// <summary>Blocks the host until all work that is queued on both streams is done.</summary>
    public void Synchronize()
    {
        Copies.Synchronize();
        Compute.Synchronize();
    }

    /// <summary>
    /// Blocks the host until all work that is queued on both streams is done, and reports no failure, for calls that clean up.
    /// </summary>
    public void Settle()
    {
        Copies.Settle();
        Compute.Settle();
    }
}

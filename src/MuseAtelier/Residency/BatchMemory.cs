using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Residency;

/// <summary>The memory of a batch that does not depend on where weights lie.</summary>
internal sealed class BatchMemory
{
    /// <param name="before">The components that run before the steps.</param>
    /// <param name="unet">The UNet.</param>
    /// <param name="pictures">Pictures of the batch.</param>
    /// <param name="request">The pictures' size and frame.</param>
    /// <param name="device">The costs of the device.</param>
    public BatchMemory(IReadOnlyList<BatchPart> before, BatchPart unet, int pictures, ResidencyRequest request, DeviceProfile device)
    {
        TensorBytes = before.Sum(part => part.TensorBytes) + UNetTensorBytes(unet, before);
        HostBytes = device.MapsWeights ? LatentAndPictureBytes(unet, pictures, request) : 0;
        TextArena = LargestArena(PlanPhase.Text);
        ConditioningArena = LargestArena(PlanPhase.Conditioning);
        UNetArena = unet.ArenaBytes(device);
        RotationArena = unet.ArenaBytes(device, rotatesSessions: true);

        long LargestArena(PlanPhase phase) => before.Where(part => part.Entry.Phase == phase).Max(part => part.ArenaBytes(device));
    }

    /// <summary>Bytes of all tensors between stages, and of the results that are computed once per batch.</summary>
    public long TensorBytes { get; }

    /// <summary>Bytes of host memory for latents and pictures; 0 where the budget is one of device memory.</summary>
    public long HostBytes { get; }

    /// <summary>Bytes of the text encoders' working memory.</summary>
    public long TextArena { get; }

    /// <summary>Bytes of the working memory of cross-attention and time embedding.</summary>
    public long ConditioningArena { get; }

    /// <summary>Bytes of the UNet's working memory with sessions that stay.</summary>
    public long UNetArena { get; }

    /// <summary>Bytes of the UNet's working memory with rotating sessions.</summary>
    public long RotationArena { get; }

    private static bool IsTimeEmbedding(TensorSpec tensor) => ConditioningNames.IsTimeEmbedding(tensor.Name);

    // Keys and values lie in the block of the component that computes them. Of the time embeddings, one step's share is copied into a block
    // of its own, in the order of the UNet's inputs.
    private static long UNetTensorBytes(BatchPart unet, IEnumerable<BatchPart> before)
    {
        HashSet<string> computed = [.. before.SelectMany(part => part.Component.Outputs).Select(output => output.Name)];
        long embeddings = unet.Component.Inputs.Where(IsTimeEmbedding).Sum(input => input.Bytes(unet.Shape));
        bool LiesElsewhere(TensorSpec tensor) => computed.Contains(tensor.Name) || IsTimeEmbedding(tensor);
        return embeddings + TensorBlocks.Bytes(unet.Component, unet.Shape, LiesElsewhere);
    }

    // The UNet's input and output for all rows; for each picture three blocks of latents and noise, the tree of its noise, and in the end
    // its 8-bit RGB pixels.
    private static long LatentAndPictureBytes(BatchPart unet, int pictures, ResidencyRequest request)
    {
        TensorSpec latents = unet.Component.Inputs.First(input => input.Name == "latents");
        (int width, int height) = request.Frame?.CanvasOf(request.Width, request.Height) ?? (request.Width, request.Height);
        long onePicture = 3 * latents.Bytes(unet.Shape with { Rows = 1 }) + request.NoiseBytes + 3L * width * height;
        return 2 * latents.Bytes(unet.Shape) + pictures * onePicture;
    }
}

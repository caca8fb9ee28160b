using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier.Residency;

/// <summary>The memory of a batch that does not depend on where weights lie.</summary>
internal sealed class BatchMemory
{
    /// <param name="parts">The components that run before and in the steps.</param>
    /// <param name="pictures">Pictures of the batch.</param>
    /// <param name="request">The pictures' size, frame and prompts.</param>
    /// <param name="device">The costs of the device.</param>
    public BatchMemory(BatchParts parts, int pictures, ResidencyRequest request, DeviceProfile device)
    {
        TensorBytes = parts.TensorBytes;
        HostBytes = device.MapsWeights ? LatentAndPictureBytes(parts.UNet, pictures, request) + SourceBytes(request) : 0;
        PromptSetBytes = request.PromptSets > 1 ? request.PromptSets * PromptSet(parts, request) : 0;
        TextArena = LargestArena(PlanPhase.Text);
        ConditioningArena = LargestArena(PlanPhase.Conditioning);
        UNetArena = parts.UNetArenaBytes(device);
        RotationArena = parts.UNetArenaBytes(device, rotatesSessions: true);

        long LargestArena(PlanPhase phase) =>
            parts.BeforeSteps.Where(part => part.Entry.Phase == phase).Max(part => part.ArenaBytes(device));
    }

    /// <summary>Bytes of all tensors between stages, and of the results that are computed once per batch.</summary>
    public long TensorBytes { get; }

    /// <summary>Bytes of host memory for latents and pictures; 0 where the budget is one of device memory.</summary>
    public long HostBytes { get; }

    /// <summary>
    /// Bytes of host memory, pinned on a card, for the embeddings, keys and values of the sets of prompts; 0 with one set.
    /// </summary>
    public long PromptSetBytes { get; }

    /// <summary>Bytes of the text encoders' working memory.</summary>
    public long TextArena { get; }

    /// <summary>Bytes of the working memory of cross-attention and time embedding.</summary>
    public long ConditioningArena { get; }

    /// <summary>Bytes of the UNet's working memory with sessions that stay.</summary>
    public long UNetArena { get; }

    /// <summary>Bytes of the UNet's working memory with rotating sessions.</summary>
    public long RotationArena { get; }

    // The whole block of the component that computes keys and values, because one copy then moves it, and the embeddings of its rows before
    // they are repeated for the slots of a batch.
    private static long PromptSet(BatchParts parts, ResidencyRequest request)
    {
        BatchPart context = parts.CrossAttention;
        PictureShape onePicture = context.Shape with { Rows = request.RowsPerPicture };
        return context.TensorBytes + context.Component.Inputs.Sum(input => input.Bytes(onePicture));
    }

    // The pixels and the mask of an existing picture, its mean and its log variance.
    private static long SourceBytes(ResidencyRequest request)
    {
        if (!request.EncodesSource) return 0;
        const int channels = 3, moments = 2 * 4;
        long area = (long)request.Width * request.Height;
        return (channels + 1) * area
            + moments * sizeof(float) * area / (LatentGeometry.VaeScaleFactor * LatentGeometry.VaeScaleFactor);
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

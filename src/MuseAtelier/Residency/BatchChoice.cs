namespace MuseAtelier.Residency;

/// <summary>
/// A number of pictures that are denoised together, the memory that they take, and the placements of weights that are worth considering for
/// them.
/// </summary>
internal sealed class BatchChoice
{
    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures.</param>
    /// <param name="device">The costs of the device.</param>
    /// <param name="pictures">Pictures of a batch.</param>
    /// <param name="sharedPromptSetBytes">
    /// Where the placements must serve pictures of another size as well: bytes of pinned memory that the sets of prompts take, for which
    /// both sizes have the same placements in the same order. Null where only the placements that are best for these pictures count.
    /// </param>
    public BatchChoice(
        ModelSizes model, ResidencyRequest request, DeviceProfile device, int pictures, long? sharedPromptSetBytes = null)
    {
        Pictures = pictures;
        Batches = (request.Count + pictures - 1) / pictures;
        var parts = new BatchParts(model, request, pictures);
        Memory = new BatchMemory(parts, pictures, request, device);

        var choices = new StreamingChoices(request, device, sharedPromptSetBytes ?? Memory.PromptSetBytes);
        UNets = sharedPromptSetBytes is null ? choices.UNets(parts) : choices.SharedUNets(parts);
        Conditionings = sharedPromptSetBytes is null ? choices.Conditionings(parts, Batches) : choices.SharedConditionings(parts, Batches);
    }

    /// <summary>Pictures of a batch.</summary>
    public int Pictures { get; }

    /// <summary>Number of batches that all pictures take.</summary>
    public int Batches { get; }

    /// <summary>The memory of the batch that does not depend on where weights lie.</summary>
    public BatchMemory Memory { get; }

    /// <summary>Placements of the components that run before the steps.</summary>
    public IReadOnlyList<ConditioningPlacement> Conditionings { get; }

    /// <summary>Placements of the UNet.</summary>
    public IReadOnlyList<UNetPlacement> UNets { get; }
}

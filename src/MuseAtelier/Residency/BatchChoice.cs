using MuseAtelier.Decoding;
using MuseAtelier.Packages;
using MuseAtelier.Recipe;

namespace MuseAtelier.Residency;

/// <summary>
/// A number of pictures that are denoised together, the memory that they take, and the placements of weights that are worth considering for
/// them.
/// </summary>
internal sealed class BatchChoice
{
    /// <summary>
    /// Latent sides are rounded up to a multiple of this, so that every level of the UNet has whole pixels and a larger picture never
    /// counts as smaller.
    /// </summary>
    private const int SideStep = 4;

    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures.</param>
    /// <param name="device">The costs of the device.</param>
    /// <param name="pictures">Pictures of a batch.</param>
    public BatchChoice(ModelSizes model, ResidencyRequest request, DeviceProfile device, int pictures)
    {
        Pictures = pictures;
        Batches = (request.Count + pictures - 1) / pictures;
        int rows = pictures * (request.Guided ? 2 : 1);
        var latents = new PictureShape(rows, LatentSide(request.Height), LatentSide(request.Width), 1)
        {
            Tokens = request.PromptChunks * TextChunk.Length,
        };
        BatchPart[] before = [.. PipelineRecipe.BeforeSteps.Select(entry => BatchPart.Of(model, entry, latents, request.Steps))];
        BatchPart unet = BatchPart.Of(model, PipelineRecipe.EveryStep, latents, request.Steps);
        Memory = new BatchMemory(before, unet, pictures, request, device);

        var choices = new StreamingChoices(request, device);
        UNets = choices.UNets(unet);
        Conditionings = choices.Conditionings(before, unet, Batches);
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

    private static int LatentSide(int side) => (side / LatentGeometry.VaeScaleFactor + SideStep - 1) / SideStep * SideStep;
}

using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier.Residency;

/// <summary>The components of a batch that run before and in the steps, with their shapes.</summary>
internal sealed class BatchParts
{
    /// <summary>
    /// Latent sides are rounded up to a multiple of this, so that every level of the UNet has whole pixels and a larger picture never
    /// counts as smaller.
    /// </summary>
    private const int SideStep = 4;

    // Each with the number of times that it is computed.
    private readonly List<(BatchPart Part, int Count)> _otherTimes = [];

    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures.</param>
    /// <param name="pictures">Pictures of a batch.</param>
    public BatchParts(ModelSizes model, ResidencyRequest request, int pictures)
    {
        var latents = new PictureShape(
            pictures * request.RowsPerPicture, LatentSide(request.Height), LatentSide(request.Width), 1)
        {
            Tokens = request.PromptChunks * TextChunk.Length,
        };
        GuidedSteps = request.Steps - request.StepsOfThePromptAlone;
        BeforeSteps = [.. PipelineRecipe.BeforeSteps.Select(entry => BatchPart.Of(model, entry, latents, GuidedSteps))];
        UNet = BatchPart.Of(model, PipelineRecipe.EveryStep, latents, GuidedSteps);

        // Time embeddings are computed apart for each set of prompts. The steps of all sets together are counted once already; a set adds
        // no more than one step more.
        BatchPart[] times = [.. BeforeSteps.Where(part => part.Entry.Shape == ComponentShape.Schedule)];
        AddTimes(latents, request.PromptSets - 1, 1);
        if (request.StepsOfThePromptAlone == 0) return;
        PictureShape alone = latents with { Rows = pictures };
        UnguidedUNet = BatchPart.Of(model, PipelineRecipe.EveryStep, alone, request.StepsOfThePromptAlone);
        AddTimes(alone, 1, request.StepsOfThePromptAlone);
        AddTimes(alone, request.PromptSets - 1, 1);

        void AddTimes(PictureShape shape, int count, int steps)
        {
            if (count == 0) return;
            foreach (BatchPart time in times) _otherTimes.Add((BatchPart.Of(model, time.Entry, shape, steps), count));
        }
    }

    /// <summary>The components that run before the steps, in the order of the recipe.</summary>
    public IReadOnlyList<BatchPart> BeforeSteps { get; }

    /// <summary>The UNet in a guided evaluation, or in every evaluation if none is guided.</summary>
    public BatchPart UNet { get; }

    /// <summary>The UNet in an evaluation outside of the guidance interval; null if there is no such evaluation.</summary>
    public BatchPart? UnguidedUNet { get; }

    /// <summary>The number of evaluations of <see cref="UNet"/>.</summary>
    public int GuidedSteps { get; }

    /// <summary>The component whose block holds the keys and values of a set of prompts.</summary>
    public BatchPart CrossAttention => BeforeSteps.Single(part => part.Entry.Name == ComponentNames.CrossAttention);

    /// <summary>Bytes of all tensors between stages, and of the results that are computed once per batch.</summary>
    public long TensorBytes =>
        BeforeSteps.Sum(part => part.TensorBytes)
        + _otherTimes.Sum(time => time.Count * time.Part.TensorBytes)
        + Math.Max(UNetTensorBytes(UNet), UnguidedUNet is null ? 0 : UNetTensorBytes(UnguidedUNet));

    /// <summary>
    /// Bytes of the UNet's working memory. The blocks that an evaluation of few rows leaves in an arena may be too small for one of more
    /// rows, so that both count.
    /// </summary>
    /// <param name="device">The costs of the device.</param>
    /// <param name="rotatesSessions">Whether its sessions rotate.</param>
    public long UNetArenaBytes(DeviceProfile device, bool rotatesSessions = false) =>
        UNet.ArenaBytes(device, rotatesSessions) + (UnguidedUNet?.ArenaBytes(device, rotatesSessions) ?? 0);

    private static int LatentSide(int side) => (side / LatentGeometry.VaeScaleFactor + SideStep - 1) / SideStep * SideStep;

    private static bool IsTimeEmbedding(TensorSpec tensor) => ConditioningNames.IsTimeEmbedding(tensor.Name);

    // Keys and values lie in the block of the component that computes them. Of the time embeddings, one step's share is copied into a block
    // of its own, in the order of the UNet's inputs.
    private long UNetTensorBytes(BatchPart unet)
    {
        HashSet<string> computed =
            [.. BeforeSteps.SelectMany(part => part.Component.Outputs).Select(output => output.Name)];
        long embeddings = unet.Component.Inputs.Where(IsTimeEmbedding).Sum(input => input.Bytes(unet.Shape));
        bool LiesElsewhere(TensorSpec tensor) => computed.Contains(tensor.Name) || IsTimeEmbedding(tensor);
        return embeddings + TensorBlocks.Bytes(unet.Component, unet.Shape, LiesElsewhere);
    }
}

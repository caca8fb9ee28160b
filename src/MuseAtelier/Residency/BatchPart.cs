using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;

namespace MuseAtelier.Residency;

/// <summary>A component of the recipe, the shape that it runs with in a batch, and the work of its stages.</summary>
/// <param name="Entry">The component's place in the recipe.</param>
/// <param name="Component">The component.</param>
/// <param name="Shape">The shape.</param>
/// <param name="Work">The work of each stage.</param>
internal sealed record BatchPart(PipelineComponent Entry, ComponentSpec Component, PictureShape Shape, StageWork[] Work)
{
    /// <summary>Bytes of all its tensors, where none lies elsewhere.</summary>
    public long TensorBytes => TensorBlocks.Bytes(Component, Shape);

    /// <summary>Bytes of its weights in all stages.</summary>
    public long WeightBytes => Work.Sum(stage => stage.WeightBytes);

    /// <summary>Bytes of the fp32 copies of weights that its most demanding stage makes.</summary>
    public long CastBytes => Work.Max(stage => stage.CastBytes);

    /// <summary>Bytes of working memory while it runs.</summary>
    /// <param name="device">The costs of the device.</param>
    /// <param name="rotatesSessions">Whether its sessions rotate.</param>
    public long ArenaBytes(DeviceProfile device, bool rotatesSessions = false) =>
        device.ArenaBytes(Component.Name, Shape, rotatesSessions) + CastBytes + LongPromptBytes;

    // The costs of the device are measured with one chunk of tokens. With more chunks, attention transposes larger keys and values, and the
    // components that make them take larger copies of their input: at most two copies of the largest tensor at a time.
    private long LongPromptBytes
    {
        get
        {
            PictureShape oneChunk = Shape with { Tokens = TextChunk.Length };
            return 2 * Component.Inputs.Concat(Component.Outputs).Max(tensor => tensor.Bytes(Shape) - tensor.Bytes(oneChunk));
        }
    }

    /// <summary>A component of a model in a batch.</summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="entry">The component's place in the recipe.</param>
    /// <param name="latents">The rows and the latent size of the batch.</param>
    /// <param name="steps">The number of steps.</param>
    public static BatchPart Of(ModelSizes model, PipelineComponent entry, PictureShape latents, int steps)
    {
        ComponentSpec component = model.Component(entry.Name);
        PictureShape shape = entry.ShapeFor(latents, steps);
        return new BatchPart(entry, component, shape, [.. component.Stages.Select(stage => StageWork.Of(component, stage, shape))]);
    }
}

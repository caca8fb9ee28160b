using MuseAtelier.Decoding;
using MuseAtelier.Packages;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;

namespace MuseAtelier.Residency;

/// <summary>
/// A number of pictures that are denoised together, the memory that they take, and the placements that are worth considering for them.
/// </summary>
internal sealed class BatchChoice
{
    /// <summary>
    /// Latent sides are rounded up to a multiple of this, so that every level of the UNet has whole pixels and a larger picture never
    /// counts as smaller.
    /// </summary>
    private const int SideStep = 4;

    /// <summary>Sizes of the UNet's streaming buffer that are tried, in halves of the least size.</summary>
    private static readonly int[] BufferSizes = [ComponentChoice.LeastBuffer, 3, 4];

    private readonly ModelSizes _model;
    private readonly ResidencyRequest _request;
    private readonly DeviceProfile _device;

    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures.</param>
    /// <param name="device">What the device costs.</param>
    /// <param name="pictures">Pictures of a batch.</param>
    public BatchChoice(ModelSizes model, ResidencyRequest request, DeviceProfile device, int pictures)
    {
        _model = model;
        _request = request;
        _device = device;
        Pictures = pictures;
        Batches = (request.Count + pictures - 1) / pictures;

        int rows = pictures * (request.Guided ? 2 : 1);
        int height = RoundUp(request.Height / VaeDecoder.VaeScaleFactor);
        int width = RoundUp(request.Width / VaeDecoder.VaeScaleFactor);
        var latents = new PictureShape(rows, height, width, 1);
        Part[] before = [.. PipelineRecipe.BeforeSteps.Select(component => PartOf(component, latents))];
        Part unet = PartOf(PipelineRecipe.EveryStep, latents);

        TensorBytes = before.Sum(part => part.TensorBytes) + UNetTensorBytes(unet, before);
        HostBytes = device.MapsWeights ? LatentAndPictureBytes(unet) : 0;
        TextArena = before.Where(part => part.Entry.Phase == PlanPhase.Text).Max(Arena);
        ConditioningArena = before.Where(part => part.Entry.Phase == PlanPhase.Conditioning).Max(Arena);
        UNetArena = Arena(unet);
        RotationArena = device.ArenaBytes(unet.Component.Name, latents, sessionsTurn: true) + unet.CastBytes;

        // The UNet has the first claim on pinned memory, because its weights are copied in every step.
        UNets = Undominated([.. UNetPlacements(unet)], static (one, other) => one.IsNoBetterThan(other));
        List<ConditioningPlacement> conditionings = ConditioningPlacements(before, unet);
        Conditionings = Undominated(conditionings, static (one, other) => one.IsNoBetterThan(other));
    }

    /// <summary>Pictures of a batch.</summary>
    public int Pictures { get; }

    /// <summary>Number of batches that all pictures take.</summary>
    public int Batches { get; }

    /// <summary>Placements of the components that run before the steps.</summary>
    public IReadOnlyList<ConditioningPlacement> Conditionings { get; }

    /// <summary>Placements of the UNet.</summary>
    public IReadOnlyList<UNetPlacement> UNets { get; }

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

    private static int RoundUp(int side) => (side + SideStep - 1) / SideStep * SideStep;

    private static bool IsTimeEmbedding(TensorSpec tensor) => tensor.Name.StartsWith("shift.", StringComparison.Ordinal);

    // Keys and values lie in the block of the component that computes them. Of the time embeddings, one step's share is copied into a block
    // of its own, in the order of the UNet's inputs.
    private static long UNetTensorBytes(Part unet, IEnumerable<Part> before)
    {
        HashSet<string> computed = [.. before.SelectMany(part => part.Component.Outputs).Select(output => output.Name)];
        long embeddings = unet.Component.Inputs.Where(IsTimeEmbedding).Sum(input => input.Bytes(unet.Shape));
        bool LiesElsewhere(TensorSpec tensor) => computed.Contains(tensor.Name) || IsTimeEmbedding(tensor);
        return embeddings + ComponentRunner.BlockBytes(unet.Component, unet.Shape, LiesElsewhere);
    }

    // Removes each placement that is in no respect better than another one; of equal placements the first stays.
    private static List<T> Undominated<T>(List<T> placements, Func<T, T, bool> isNoBetter)
    {
        List<T> left = [];
        for (int i = 0; i < placements.Count; i++)
            if (!IsDominated(i)) left.Add(placements[i]);
        return left;

        bool IsDominated(int one)
        {
            for (int other = 0; other < placements.Count; other++)
            {
                if (other == one || !isNoBetter(placements[one], placements[other])) continue;
                if (other < one || !isNoBetter(placements[other], placements[one])) return true;
            }

            return false;
        }
    }

    private Part PartOf(PipelineComponent entry, PictureShape latents)
    {
        ComponentSpec component = _model.Component(entry.Name);
        PictureShape shape = entry.ShapeFor(latents, _request.Steps);
        return new Part(entry, component, shape, [.. component.Stages.Select(stage => StageWork.Of(component, stage, shape))]);
    }

    private long Arena(Part part) => _device.ArenaBytes(part.Component.Name, part.Shape) + part.CastBytes;

    // The UNet's input and output for all rows; for each picture three blocks of latents and noise, and in the end its 8-bit RGB pixels.
    private long LatentAndPictureBytes(Part unet)
    {
        TensorSpec latents = unet.Component.Inputs.First(input => input.Name == "latents");
        (int width, int height) = _request.Frame?.CanvasOf(_request.Width, _request.Height) ?? (_request.Width, _request.Height);
        long onePicture = 3 * latents.Bytes(unet.Shape with { Batch = 1 }) + 3L * width * height;
        return 2 * latents.Bytes(unet.Shape) + Pictures * onePicture;
    }

    private IEnumerable<UNetPlacement> UNetPlacements(Part unet)
    {
        bool[][] spreads = _device.MapsWeights
            ? [new bool[unet.Work.Length]]
            : [.. ComponentChoice.EvenSpreads(unet.Component, _device)];
        bool[] all = [.. unet.Component.Stages.Select(stage => stage.Weights.Count > 0)];
        switch (_request.Offload)
        {
            case OffloadMode.Auto:
                foreach (bool[] spread in spreads)
                {
                    int[] sizes = spread.Any(streamed => streamed) ? BufferSizes : [ComponentChoice.LeastBuffer];
                    foreach (int size in sizes) yield return UNetPlacement(unet, spread, size, rotatesSessions: false);
                }

                yield return UNetPlacement(unet, all, ComponentChoice.LeastBuffer, rotatesSessions: true);
                break;
            case OffloadMode.Resident:
                yield return UNetPlacement(unet, spreads[0], ComponentChoice.LeastBuffer, rotatesSessions: false);
                break;
            case OffloadMode.Stream:
                foreach (int size in BufferSizes) yield return UNetPlacement(unet, all, size, rotatesSessions: false);
                break;
            case OffloadMode.Sessions:
                yield return UNetPlacement(unet, all, ComponentChoice.LeastBuffer, rotatesSessions: true);
                break;
        }
    }

    private UNetPlacement UNetPlacement(Part unet, bool[] isStreamed, int bufferHalves, bool rotatesSessions)
    {
        var choice = new ComponentChoice(unet.Component, unet.Work, isStreamed, bufferHalves, _request.PinnedBytes, _device);
        double plain = choice.Seconds(_request.Steps, _device.OperationsPerSecond, _device.StepSeconds);
        double captured = choice.Seconds(_request.Steps, _device.OperationsPerSecond, _device.StepSeconds, _device.CapturedShare);
        return new UNetPlacement(choice, rotatesSessions, plain, captured, Modes(rotatesSessions));
    }

    private RunMode[] Modes(bool rotatesSessions)
    {
        var least = new RunMode(KeepsArena: false, Captures: false, DecoderStays: false, KeepsDecodingArena: false);
        if (rotatesSessions) return [least];
        RunMode decoder = least with { DecoderStays = true };
        RunMode arena = decoder with { KeepsArena = true };
        if (_device.CaptureBytes is null) return [arena with { KeepsDecodingArena = true }, decoder, least];
        RunMode captured = arena with { Captures = true };
        return [captured with { KeepsDecodingArena = true }, captured, decoder, least];
    }

    // Streamed components are copied once per batch. They come from the mapped file where the UNet might need all the memory that can be
    // pinned.
    private List<ConditioningPlacement> ConditioningPlacements(Part[] parts, Part unet)
    {
        long pinnable = Math.Max(0, _request.PinnedBytes - unet.Work.Sum(stage => stage.WeightBytes));
        int texts = _request.Guided ? 2 : 1;
        List<ConditioningPlacement> placements = [];
        IReadOnlyList<IReadOnlyList<string>> sets = PipelineRecipe.StreamedBeforeSteps;
        foreach (IReadOnlyList<string> streamed in _device.MapsWeights ? sets.Take(1) : sets)
        {
            long left = pinnable;
            List<ComponentChoice> choices = [];
            foreach (Part part in parts)
            {
                bool[] isStreamed = new bool[part.Work.Length];
                Array.Fill(isStreamed, streamed.Contains(part.Component.Name));
                var choice = new ComponentChoice(part.Component, part.Work, isStreamed, ComponentChoice.LeastBuffer, left, _device);
                choices.Add(choice);
                left -= choice.PinnedBytes;
            }

            double[] seconds = [.. choices.Select(choice => choice.Seconds(1, _device.NarrowOperationsPerSecond))];
            double SecondsOf(RunFrequency frequency) =>
                parts.Zip(seconds).Where(part => part.First.Entry.Frequency == frequency).Sum(part => part.Second);
            placements.Add(new ConditioningPlacement(
                choices, texts * SecondsOf(RunFrequency.PerPrompt), SecondsOf(RunFrequency.PerBatch), Batches));
        }

        return placements;
    }

    /// <summary>A component of the recipe, the shape that it runs with, and the work of its stages.</summary>
    private sealed record Part(PipelineComponent Entry, ComponentSpec Component, PictureShape Shape, StageWork[] Work)
    {
        /// <summary>Bytes of all its tensors, where none lies elsewhere.</summary>
        public long TensorBytes => ComponentRunner.BlockBytes(Component, Shape);

        /// <summary>Bytes of the fp32 copies of weights that its most demanding stage makes.</summary>
        public long CastBytes => Work.Max(stage => stage.CastBytes);
    }
}

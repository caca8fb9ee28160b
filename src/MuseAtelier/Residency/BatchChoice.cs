using MuseAtelier.Decoding;
using MuseAtelier.Packages;
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

    /// <summary>
    /// The sets of components that are streamed before the steps, in the order in which they are tried: the largest components first,
    /// because each byte gains and costs the same.
    /// </summary>
    private static readonly string[][] StreamedBeforeSteps =
    [
        [],
        [ComponentNames.ClipL],
        [ComponentNames.CrossAttention],
        [ComponentNames.ClipG],
        [ComponentNames.ClipG, ComponentNames.ClipL],
        [ComponentNames.ClipG, ComponentNames.CrossAttention],
        [.. PlanMemory.ComponentsBeforeSteps],
    ];

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
        var text = new PictureShape(1, 0, 0, 0);
        var latents = new PictureShape(rows, height, width, 1);
        Part clipL = PartOf(ComponentNames.ClipL, text);
        Part clipG = PartOf(ComponentNames.ClipG, text);
        Part context = PartOf(ComponentNames.CrossAttention, latents);
        Part time = PartOf(ComponentNames.TimeEmbedding, latents with { Steps = request.Steps });
        Part unet = PartOf(ComponentNames.UNet, latents);

        TensorBytes = clipL.TensorBytes + clipG.TensorBytes + context.TensorBytes + time.TensorBytes + UNetTensorBytes(unet, context);
        HostBytes = device.MapsWeights ? LatentAndPictureBytes(unet) : 0;
        TextArena = Math.Max(Arena(clipL), Arena(clipG));
        ConditioningArena = Math.Max(Arena(context), Arena(time));
        UNetArena = Arena(unet);
        RotationArena = device.ArenaBytes(ComponentNames.UNet, latents, sessionsTurn: true) + unet.CastBytes;

        // The UNet has the first claim on pinned memory, because its weights are copied in every step.
        UNets = Undominated([.. UNetPlacements(unet)], static (one, other) => one.IsNoBetterThan(other));
        List<ConditioningPlacement> conditionings = ConditioningPlacements([clipL, clipG, context, time], unet);
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

    // Keys and values lie in the cross-attention component's block. Of the time embeddings, one step's share is copied into a block of its
    // own, in the order of the UNet's inputs.
    private static long UNetTensorBytes(Part unet, Part context)
    {
        HashSet<string> keys = [.. context.Component.Outputs.Select(output => output.Name)];
        long embeddings = unet.Component.Inputs.Where(IsTimeEmbedding).Sum(input => input.Bytes(unet.Shape));
        bool LiesElsewhere(TensorSpec tensor) => keys.Contains(tensor.Name) || IsTimeEmbedding(tensor);
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

    private Part PartOf(string name, PictureShape shape)
    {
        ComponentSpec component = _model.Component(name);
        return new Part(component, shape, [.. component.Stages.Select(stage => StageWork.Of(component, stage, shape))]);
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
            case OffloadMode.Rotate:
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
        foreach (string[] streamed in _device.MapsWeights ? StreamedBeforeSteps.Take(1) : StreamedBeforeSteps)
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
            placements.Add(new ConditioningPlacement(choices, texts * (seconds[0] + seconds[1]), seconds[2] + seconds[3], Batches));
        }

        return placements;
    }

    /// <summary>A component, the shape that it runs with, and the work of its stages.</summary>
    private sealed record Part(ComponentSpec Component, PictureShape Shape, StageWork[] Work)
    {
        /// <summary>Bytes of all its tensors, where none lies elsewhere.</summary>
        public long TensorBytes => ComponentRunner.BlockBytes(Component, Shape);

        /// <summary>Bytes of the fp32 copies of weights that its most demanding stage makes.</summary>
        public long CastBytes => Work.Max(stage => stage.CastBytes);
    }
}

using MuseAtelier.Recipe;

namespace MuseAtelier.Residency;

/// <summary>The uses of memory during a phase, in the order in which plans list them.</summary>
internal enum MemoryUse
{
    /// <summary>Memory that is in use before anything is loaded: by the device's context and libraries, or by the process.</summary>
    Base,

    /// <summary>Constants and handles of loaded sessions.</summary>
    Sessions,

    /// <summary>The peak while sessions are created, beyond what they hold and beyond the working memory of a run.</summary>
    SessionCreation,

    /// <summary>Weights that stay in device memory in every phase.</summary>
    ResidentWeights,

    /// <summary>Weights that LoRAs change, where all others are read from mapped files.</summary>
    MergedWeights,

    /// <summary>Weights that are in device memory while the UNet denoises only.</summary>
    SwappedWeights,

    /// <summary>The streaming buffer.</summary>
    StreamingBuffer,

    /// <summary>Tensors between stages.</summary>
    Tensors,

    /// <summary>Latents and pictures in host memory.</summary>
    HostPictures,

    /// <summary>Embeddings, keys and values of several sets of prompts in host memory.</summary>
    PromptSets,

    /// <summary>The encoder of existing pictures: its sessions and its tensors.</summary>
    Encoder,

    /// <summary>The decoder: its sessions and its tensors.</summary>
    Decoder,

    /// <summary>The captured steps: one for each number of rows.</summary>
    CapturedStep,

    /// <summary>Working memory in arenas.</summary>
    WorkingMemory,

    /// <summary>The margin that a plan leaves free.</summary>
    Margin,
}

/// <summary>The memory of each phase, in bytes.</summary>
internal readonly record struct PhaseBytes(long Text, long Conditioning, long Encoding, long Denoising, long Decoding)
{
    /// <summary>The memory of the largest phase.</summary>
    public long Max => Math.Max(MaxBesidesDenoising, Denoising);

    /// <summary>The memory of the largest phase in which the UNet does not run.</summary>
    public long MaxBesidesDenoising => Math.Max(Math.Max(Text, Conditioning), Math.Max(Encoding, Decoding));
}

/// <summary>
/// The memory of a candidate. <see cref="Bytes"/> is the one list of its shares: the search adds them up, and the plan names them, so both
/// always agree.
/// </summary>
internal sealed class PlanMemory
{
    private static readonly MemoryUse[] Uses = Enum.GetValues<MemoryUse>();

    private readonly DeviceProfile _device;
    private readonly HeldPass? _other;
    private readonly IReadOnlyList<TileChoice> _rescueTiles;
    private readonly SessionWeights _rescueSessions;
    private readonly long _otherSessionBytes;
    private readonly long _handleBytes;
    private readonly int _capturedSteps;
    private readonly long _mergedBytes;

    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures.</param>
    /// <param name="device">The costs of the device.</param>
    /// <param name="other">The other pass of the same pictures, whose memory is held as well; null if there is none.</param>
    public PlanMemory(ModelSizes model, ResidencyRequest request, DeviceProfile device, HeldPass? other = null)
    {
        _device = device;
        _mergedBytes = device.MapsWeights ? request.MergedBytes : 0;
        _other = other;
        _capturedSteps = request.StepsOfThePromptAlone > 0 ? 2 : 1;
        SessionWeights Sessions(string component) => SessionWeights.Of(model.Component(component), device);
        bool hasFp32 = PipelineRecipe.HasFp32Decoder(model.Components);
        Components =
        [
            .. PipelineRecipe.For(
                inFp32: hasFp32 && request.DecodesInFp32,
                hasFrame: request.Frame is not null,
                encodes: request.EncodesSource || other is { Encodes: true }),
        ];
        foreach (PipelineComponent component in Components)
        {
            SessionWeights sessions = Sessions(component.Name);
            if (component.Encodes)
            {
                // It is never created ahead, so that its handles do not count twice. It serves both passes.
                EncoderSessions = sessions;
                continue;
            }

            _handleBytes += sessions.HandleBytes;
            if (component.RunsInEveryStep) UNetSessions = sessions;
            else if (component.Decodes) DecoderSessions = sessions;
            else _otherSessionBytes += sessions.Bytes;
        }

        _rescueTiles = [];
        if (!hasFp32 || request.DecodesInFp32) return;
        string rescueDecoder = PipelineRecipe.Decoder(inFp32: true);
        ResidencyRequest rescue = request with { VaeTiling = VaeTiling.Auto, VaeTile = null };
        _rescueTiles = TileChoices.For(model, rescue, rescueDecoder, TileChoices.SmallestRescueSide, device);
        _rescueSessions = Sessions(rescueDecoder);
    }

    /// <summary>The components that the pictures need, in the order in which they run.</summary>
    public IReadOnlyList<PipelineComponent> Components { get; }

    /// <summary>The name of the component that decodes.</summary>
    public string Decoder => Components.Single(component => component.Decodes).Name;

    /// <summary>The sessions of the UNet.</summary>
    public SessionWeights UNetSessions { get; }

    /// <summary>The sessions of the encoder; none if no existing picture is encoded.</summary>
    public SessionWeights EncoderSessions { get; }

    /// <summary>The sessions of the decoder.</summary>
    public SessionWeights DecoderSessions { get; }

    /// <summary>
    /// Whether sessions are created on several threads, which doubles their handles. This is done where memory is plentiful, so that the
    /// first picture waits less; where weights are streamed for lack of memory, the handles' memory would slow down every picture.
    /// </summary>
    public bool CreatesInParallel(in PlanCandidate c) =>
        c.Mode.KeepsDecodingArena && c.UNet.Choice.StreamedBytes == 0 && !_device.MapsWeights;

    /// <summary>The memory of each phase. Allocates nothing.</summary>
    public PhaseBytes Phases(in PlanCandidate c) =>
        new(
            Sum(c, PlanPhase.Text),
            Sum(c, PlanPhase.Conditioning),
            c.Tiles.Encoding is null ? 0 : Sum(c, PlanPhase.Encoding),
            Sum(c, PlanPhase.Denoising),
            Sum(c, PlanPhase.Decoding));

    /// <summary>The shares of each phase that take memory, with their names.</summary>
    public IReadOnlyList<PhasePlan> Shares(PlanCandidate c)
    {
        bool encodes = c.Tiles.Encoding is not null;
        IEnumerable<PlanPhase> phases = Enum.GetValues<PlanPhase>().Where(phase => phase != PlanPhase.Encoding || encodes);
        return [.. phases.Select(phase => new PhasePlan(phase, [.. Of(phase).Where(share => share.Bytes > 0)]))];

        IEnumerable<MemoryShare> Of(PlanPhase phase) => Uses.Select(use => new MemoryShare(Name(use), Bytes(c, phase, use)));
    }

    /// <summary>
    /// How the fp32 decoder decodes after an overflow in fp16, and the bytes that this takes; null and 0 where no tile fits the budget or
    /// no such decoder is needed.
    /// </summary>
    /// <remarks>
    /// The fp32 decoder replaces the fp16 one, whose working memory is freed first. On a processor all sessions share one arena, so blocks
    /// that it keeps are not freed and still count: the fp32 decoder may be unable to use them.
    /// </remarks>
    public (TilePlan? Tiles, long Bytes) Rescue(PlanCandidate c, long budget)
    {
        bool keepsBlocks = c.Mode.KeepsDecodingArena && _device.MapsWeights;
        long others = Sum(c, PlanPhase.Decoding)
            - Bytes(c, PlanPhase.Decoding, MemoryUse.Decoder)
            - Bytes(c, PlanPhase.Decoding, MemoryUse.SessionCreation)
            - (keepsBlocks ? 0 : c.Tiles.ArenaBytes);
        foreach (TileChoice tiles in _rescueTiles)
        {
            long decoder = _rescueSessions.Bytes + _rescueSessions.MakingBytes(tiles.ArenaBytes) + tiles.BlockBytes + tiles.ArenaBytes;
            if (others + decoder <= budget) return (tiles.Tiles, others + decoder);
        }

        return (null, 0);
    }

    private long Sum(in PlanCandidate c, PlanPhase phase)
    {
        long sum = 0;
        foreach (MemoryUse use in Uses) sum += Bytes(c, phase, use);
        return sum;
    }

    // The memory of one use during one phase.
    private long Bytes(in PlanCandidate c, PlanPhase phase, MemoryUse use) => use switch
    {
        MemoryUse.Base => _device.FixedBytes,
        MemoryUse.Sessions => _otherSessionBytes + SecondHandles(c) + UNetSessionBytes(c, phase),
        MemoryUse.SessionCreation => CreationBytes(c, phase),
        MemoryUse.ResidentWeights => c.Conditioning.ResidentBytes + c.UNet.Choice.ResidentBytes - c.SwappedBytes,
        MemoryUse.MergedWeights => _mergedBytes,
        MemoryUse.SwappedWeights => phase == PlanPhase.Denoising ? c.SwappedBytes : 0,
        MemoryUse.StreamingBuffer => StreamingBufferBytes(c, phase),
        MemoryUse.Tensors => TensorBytes(c, phase),
        MemoryUse.HostPictures => c.Batch.Memory.HostBytes,
        MemoryUse.PromptSets => _device.MapsWeights ? c.Batch.Memory.PromptSetBytes : 0,
        MemoryUse.Encoder => EncoderBytes(c, phase),
        MemoryUse.Decoder => DecoderBytes(c, phase),
        MemoryUse.CapturedStep => c.Mode.Captures ? (_capturedSteps + (_other?.CapturedSteps ?? 0)) * _device.CaptureBytes!.Value : 0,
        MemoryUse.WorkingMemory => ArenaBytes(c, phase),
        MemoryUse.Margin => _device.MarginBytes,
        _ => throw new ArgumentOutOfRangeException(nameof(use), use, null),
    };

    private string Name(MemoryUse use) => use switch
    {
        MemoryUse.Base => _device.MapsWeights ? "process" : "context and libraries",
        MemoryUse.Sessions => "sessions",
        MemoryUse.SessionCreation => "creation of sessions",
        MemoryUse.ResidentWeights => "resident weights",
        MemoryUse.MergedWeights => "weights merged with LoRAs",
        MemoryUse.SwappedWeights => "swapped-out weights",
        MemoryUse.StreamingBuffer => "streaming buffer",
        MemoryUse.Tensors => "tensors between stages",
        MemoryUse.HostPictures => "latents and pictures",
        MemoryUse.PromptSets => "sets of prompts",
        MemoryUse.Encoder => ResidencyPlan.EncoderShare,
        MemoryUse.Decoder => ResidencyPlan.DecoderShare,
        MemoryUse.CapturedStep => "captured step",
        MemoryUse.WorkingMemory => ResidencyPlan.WorkingMemoryShare,
        MemoryUse.Margin => "left free",
        _ => throw new ArgumentOutOfRangeException(nameof(use), use, null),
    };

    private long SecondHandles(in PlanCandidate c) => CreatesInParallel(c) ? _handleBytes : 0;

    private long UNetSessionBytes(in PlanCandidate c, PlanPhase phase)
    {
        if (!c.UNet.RotatesSessions) return UNetSessions.Bytes;
        return phase == PlanPhase.Denoising ? UNetSessions.RotationBytes : 0;
    }

    // Sessions are created before anything runs, and take more meanwhile than they hold afterwards; this peak may exceed a run's need.
    private long CreationBytes(in PlanCandidate c, PlanPhase phase) => phase switch
    {
        PlanPhase.Denoising when !c.UNet.RotatesSessions => UNetSessions.MakingBytes(UNetArena(c)),
        PlanPhase.Encoding => EncoderSessions.MakingBytes(c.Tiles.Encoding!.ArenaBytes),
        PlanPhase.Decoding => DecoderSessions.MakingBytes(c.Tiles.ArenaBytes),
        _ => 0,
    };

    private static long StreamingBufferBytes(in PlanCandidate c, PlanPhase phase) => phase switch
    {
        PlanPhase.Denoising => c.UNet.Choice.StreamingBufferBytes,
        PlanPhase.Decoding => 0,
        _ => c.Conditioning.StreamingBufferBytes,
    };

    private long EncoderBytes(in PlanCandidate c, PlanPhase phase)
    {
        long sessions = c.Mode.EncoderStays || phase == PlanPhase.Encoding ? EncoderSessions.Bytes : 0;
        return sessions + (phase == PlanPhase.Encoding ? c.Tiles.Encoding!.BlockBytes : 0);
    }

    // Sessions that stay serve both passes. Of the tensors between graphs, those of the other pass may be there until this one decodes.
    private long DecoderBytes(in PlanCandidate c, PlanPhase phase)
    {
        if (!c.Mode.DecoderStays) return phase == PlanPhase.Decoding ? DecoderSessions.Bytes + c.Tiles.BlockBytes : 0;
        return DecoderSessions.Bytes + Math.Max(c.Tiles.BlockBytes, _other?.Tiles?.BlockBytes ?? 0);
    }

    // While prompts are encoded, the denoiser that will be replaced is still there.
    private long TensorBytes(in PlanCandidate c, PlanPhase phase)
    {
        long own = c.Batch.Memory.TensorBytes, other = _other?.Batch.TensorBytes ?? 0;
        if (c.Mode.Captures) return own + other;
        return phase == PlanPhase.Text ? Math.Max(own, other) : own;
    }

    // The other pass, where its denoiser stays with its captured step. Otherwise the denoiser of a pass replaces that of the other one.
    private HeldPass? HeldWithCaptures(in PlanCandidate c) => c.Mode.Captures ? _other : null;

    private long ArenaBytes(in PlanCandidate c, PlanPhase phase)
    {
        BatchMemory batch = c.Batch.Memory;
        HeldPass? held = HeldWithCaptures(c);
        long shared = phase switch
        {
            // The blocks that a pass leaves in the arena may be too small for the other one, so that both count.
            _ when held is not null => Math.Max(batch.TextArena, held.Batch.TextArena)
                + Math.Max(batch.ConditioningArena, held.Batch.ConditioningArena) + UNetArena(c) + held.Batch.UNetArena,
            _ when c.Mode.KeepsArena => batch.TextArena + batch.ConditioningArena + UNetArena(c),
            PlanPhase.Text => batch.TextArena,
            PlanPhase.Conditioning => batch.ConditioningArena,
            PlanPhase.Denoising => UNetArena(c),
            _ => 0,
        };
        long decoding = c.Mode.KeepsDecodingArena || phase == PlanPhase.Decoding ? c.Tiles.ArenaBytes : 0;
        if (c.Mode.KeepsDecodingArena) decoding += _other?.Tiles?.ArenaBytes ?? 0;
        return shared + decoding + (phase == PlanPhase.Encoding ? c.Tiles.Encoding!.ArenaBytes : 0);
    }

    private static long UNetArena(in PlanCandidate c) => c.UNet.RotatesSessions ? c.Batch.Memory.RotationArena : c.Batch.Memory.UNetArena;
}

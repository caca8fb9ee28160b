using MuseAtelier.Decoding;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Residency;

/// <summary>
/// All plans for one kind of picture. What a plan takes and what it costs do not depend on the budget; a budget only rules plans out, and
/// the fastest that is left is taken. A larger budget rules out less: that is why it never makes a picture slower.
/// </summary>
internal sealed class ResidencySearch
{
    private const double GradeStep = 1.01;

    /// <summary>Sizes of a window that are tried, in halves of the least.</summary>
    private static readonly int[] BufferSizes = [ComponentChoice.LeastBuffer, 3, 4];

    /// <summary>Latents are counted in planes of whole pixels at every level, so that a larger picture never counts for less.</summary>
    private const int PlaneStep = 4;

    private static readonly string[] Preparing = [ComponentNames.ClipL, ComponentNames.ClipG, ComponentNames.CrossAttention, ComponentNames.TimeEmbedding];

    /// <summary>What of it may be streamed: the largest parts first, as all gain and cost the same for each byte.</summary>
    private static readonly string[][] StreamedInPreparation =
    [
        [], [ComponentNames.ClipL], [ComponentNames.CrossAttention], [ComponentNames.ClipG], [ComponentNames.ClipG, ComponentNames.ClipL], [ComponentNames.ClipG, ComponentNames.CrossAttention], Preparing,
    ];

    private readonly ModelSizes _model;
    private readonly ResidencyRequest _request;
    private readonly DeviceProfile _device;
    private readonly List<Pass> _passes = [];
    private readonly Candidate[] _candidates;
    private readonly IReadOnlyList<TileChoice> _tiles;
    private readonly IReadOnlyList<TileChoice> _rescueTiles;
    private readonly string _decoder;
    private readonly SessionWeights _unetSessions, _decoderSession, _rescueSession;
    private readonly long _otherSessionBytes, _handleBytes;

    public ResidencySearch(ModelSizes model, ResidencyRequest request, DeviceProfile device)
    {
        device = device.For(model.Lowering, model.Precisions);
        (_model, _request, _device) = (model, request, device);
        int height = request.Height / VaeDecoder.VaeScaleFactor, width = request.Width / VaeDecoder.VaeScaleFactor;
        bool hasFp32 = model.Components.Any(component => component.Name == ComponentNames.VaeDecoderFp32), hasRescue = hasFp32 && !request.DecodesInFp32;
        _decoder = hasFp32 && request.DecodesInFp32 ? ComponentNames.VaeDecoderFp32 : ComponentNames.VaeDecoder;
        _tiles = TileChoices.For(model, _decoder, height, width, request.VaeTiling, request.VaeTile, TileChoices.SmallestSide, request.Frame, device);
        _rescueTiles = hasRescue ? TileChoices.For(model, ComponentNames.VaeDecoderFp32, height, width, VaeTiling.Auto, null, TileChoices.SmallestRescueSide, request.Frame, device) : [];
        _unetSessions = SessionWeights.Of(model.Component(ComponentNames.UNet), device);
        _decoderSession = SessionWeights.Of(model.Component(_decoder), device);
        _rescueSession = hasRescue ? SessionWeights.Of(model.Component(ComponentNames.VaeDecoderFp32), device) : default;
        SessionWeights[] others = [.. Preparing.Append(PostProcessor.ComponentName(request.Frame)).Select(name => SessionWeights.Of(model.Component(name), device))];
        _otherSessionBytes = others.Sum(sessions => sessions.Bytes);
        _handleBytes = others.Sum(sessions => sessions.HandleBytes) + _unetSessions.HandleBytes + _decoderSession.HandleBytes;
        int least = request.BatchSize ?? 1, most = request.BatchSize ?? Math.Min(request.Count, BatchSlot.LargestBatch);
        for (int pictures = least; pictures <= most; pictures++) _passes.Add(new Pass(this, pictures, height, width));
        _candidates = [.. Candidates().OrderBy(candidate => candidate.Seconds)];
    }

    /// <summary>The fastest plan within a budget.</summary>
    public ResidencyPlan Plan(long budget)
    {
        if (Fastest(budget) is not { } best) throw new BudgetTooSmallException(_request with { Budget = budget }, Least(), _device.MapsWeights ? "memory" : "device memory");
        return Describe(best, budget, Fastest(long.MaxValue)!.Value.GradedSeconds);
    }

    /// <summary>The least budget for which there is a plan.</summary>
    public long Least()
    {
        long least = long.MaxValue;
        foreach (Candidate candidate in _candidates) least = Math.Min(least, Memory(candidate with { SwappedOut = candidate.Network.Swappable.Count - 1 }).Max);
        return least;
    }

    private Candidate? Fastest(long budget)
    {
        Candidate? best = null;
        foreach (Candidate candidate in _candidates)
        {
            // Lending only makes slower: behind the first that is slower, all are.
            if (best is { } found && candidate.Grade > found.Grade) break;
            if (SwapOut(candidate, budget) is { } fitting && (best is not { } current || Compare(fitting, current) < 0)) best = fitting;
        }

        return best;
    }

    // Of two that are equally fast, the one that copies less, then the one that takes less. Pictures are denoised together only where that gains more
    // than estimates are good for: the first one comes later then, and its last bits are not those that its seed gives by itself.
    private int Compare(Candidate a, Candidate b)
    {
        int byGrade = a.Grade.CompareTo(b.Grade);
        if (byGrade != 0) return byGrade;
        int byPictures = a.Pass.Pictures.CompareTo(b.Pass.Pictures);
        if (byPictures != 0) return byPictures;
        int bySeconds = a.Seconds.CompareTo(b.Seconds);
        if (bySeconds != 0) return bySeconds;
        int byCopies = a.CopiedBytes.CompareTo(b.CopiedBytes);
        return byCopies != 0 ? byCopies : Memory(a).Max.CompareTo(Memory(b).Max);
    }

    // Weights that stay while the network denoises are given up for the other phases, as few as it takes.
    private Candidate? SwapOut(Candidate candidate, long budget)
    {
        PhaseBytes bytes = Memory(candidate);
        if (bytes.Denoising > budget) return null;
        long missing = Math.Max(bytes.Text, Math.Max(bytes.Conditioning, bytes.Decoding)) - budget;
        if (missing <= 0) return candidate;
        int lent = candidate.Network.Swappable.FindIndex(sum => sum >= missing);
        if (lent < 0) return null;
        return candidate with { SwappedOut = lent, Seconds = candidate.Seconds + candidate.Pass.Passes * SwappingSeconds(candidate.Network, lent) / _request.Count };
    }

    private double SwappingSeconds(Network network, int lent) =>
        network.Swappable[lent] / (IsPinned(network, lent) ? _device.CopyBytesPerSecond : _device.StagedBytesPerSecond);

    private bool IsPinned(Network network, int lent) => network.Swappable[lent] <= _request.PinnedBytes - network.Choice.PinnedBytes;

    private IEnumerable<Candidate> Candidates()
    {
        foreach (Pass pass in _passes)
        {
            foreach (Preparation preparation in pass.Preparations)
            {
                foreach (Network network in pass.Networks)
                {
                    foreach (Manner manner in network.Manners)
                    {
                        // The encoders remember their texts: only the first pass waits for them.
                        double seconds = (preparation.TextSeconds + pass.Passes * pass.Seconds(preparation, network, manner)) / _request.Count;
                        foreach (TileChoice tiles in _tiles)
                            yield return new Candidate(pass, preparation, network, manner, tiles, 0, seconds + tiles.Seconds);
                    }
                }
            }
        }
    }

    private PhaseBytes Memory(in Candidate c)
    {
        Pass pass = c.Pass;
        Manner manner = c.Manner;
        long lent = c.Network.Swappable[c.SwappedOut];
        long common = _device.FixedBytes + _device.MarginBytes + _otherSessionBytes + SecondHandles(c) + pass.BlockBytes + pass.HostBytes + c.Preparation.ResidentBytes + c.Network.Choice.ResidentBytes - lent
            + (manner.Captures ? _device.CaptureBytes!.Value : 0) + (manner.DecoderStays ? DecoderBytes(c) : 0);
        long resting = common + (c.Network.RotatesSessions ? 0 : _unetSessions.Bytes);
        long preparing = resting + c.Preparation.StreamingBufferBytes;
        long denoising = common + lent + (c.Network.RotatesSessions ? _unetSessions.RotationBytes : _unetSessions.Bytes) + MakingBytes(c) + c.Network.Choice.StreamingBufferBytes;
        long decoding = resting + (manner.DecoderStays ? 0 : DecoderBytes(c)) + _decoderSession.MakingBytes(c.Tiles.ArenaBytes);
        return new PhaseBytes(preparing + Arena(c, PlanPhase.Text), preparing + Arena(c, PlanPhase.Conditioning), denoising + Arena(c, PlanPhase.Denoising), decoding + Arena(c, PlanPhase.Decoding));
    }

    // Where memory is plenty the first picture need not wait for sessions that are made one by one. Where weights are streamed for the want of it, every picture would.
    private bool MakesInParallel(in Candidate c) => c.Manner.KeepsDecodingArena && c.Network.Choice.StreamedBytes == 0 && !_device.MapsWeights;

    private long SecondHandles(in Candidate c) => MakesInParallel(c) ? _handleBytes : 0;

    private long DecoderBytes(in Candidate c) => _decoderSession.Bytes + c.Tiles.BlockBytes;

    private static long Arena(in Candidate c, PlanPhase phase)
    {
        Pass pass = c.Pass;
        long shared = c.Manner.KeepsArena ? pass.TextArena + pass.ConditioningArena + UNetArena(c) : phase switch
        {
            PlanPhase.Text => pass.TextArena,
            PlanPhase.Conditioning => pass.ConditioningArena,
            PlanPhase.Denoising => UNetArena(c),
            _ => 0,
        };
        return shared + (c.Manner.KeepsDecodingArena || phase == PlanPhase.Decoding ? c.Tiles.ArenaBytes : 0);
    }

    private static long UNetArena(in Candidate c) => c.Network.RotatesSessions ? c.Pass.RotationArena : c.Pass.UNetArena;

    // Sessions are made before anything runs, and then take more than they hold; what they take at most may be more than what a run needs.
    private long MakingBytes(in Candidate c) => c.Network.RotatesSessions ? 0 : _unetSessions.MakingBytes(UNetArena(c));

    private ResidencyPlan Describe(Candidate c, long budget, double unlimitedSeconds)
    {
        IReadOnlyList<PhasePlan> phases = Phases(c);
        PhaseBytes bytes = Memory(c);
        if (phases.Max(phase => phase.Bytes) != bytes.Max) throw new InvalidOperationException("The plan's shares do not add up to its sum.");
        List<ComponentPlan> components = [.. c.Preparation.Choices.Select(choice => Component(choice, 0, false))];
        components.Add(Component(c.Network.Choice, c.SwappedOut, c.Network.RotatesSessions));
        components.Add(new ComponentPlan(_decoder, Sessions(_decoder, !c.Manner.DecoderStays)));
        string finishing = PostProcessor.ComponentName(_request.Frame);
        components.Add(new ComponentPlan(finishing, Sessions(finishing, false)));
        double text = c.Preparation.TextSeconds, conditioning = c.Preparation.ConditioningSeconds;
        double denoising = c.Pass.DenoisingSeconds(c.Network, c.Manner), loading = c.Pass.LoadingSeconds(c.Manner) + SwappingSeconds(c.Network, c.SwappedOut);
        (TilePlan? Tiles, long Bytes) rescue = Rescue(c, budget);
        var plan = new ResidencyPlan
        {
            Request = _request with { Budget = budget },
            Offload = c.Network.RotatesSessions ? OffloadMode.Sessions : c.Network.Choice.StreamedBytes > 0 ? OffloadMode.Stream : OffloadMode.Resident,
            BatchSize = c.Pass.Pictures,
            Components = components,
            StreamingBufferBytes = c.Network.Choice.StreamingBufferBytes,
            PreparingBufferBytes = c.Preparation.StreamingBufferBytes,
            PinnedBytes = c.Preparation.PinnedBytes + c.Network.Choice.PinnedBytes + (IsPinned(c.Network, c.SwappedOut) ? c.Network.Swappable[c.SwappedOut] : 0),
            CapturesSteps = c.Manner.Captures,
            KeepsArena = c.Manner.KeepsArena,
            KeepsDecodingArena = c.Manner.KeepsDecodingArena,
            MakesSessionsInParallel = MakesInParallel(c),
            Decoding = c.Tiles.Tiles,
            DecodingInFp32 = rescue.Tiles,
            DecodingInFp32Bytes = rescue.Bytes,
            Phases = phases,
            PeakBytes = bytes.Max,
            Estimate = new PlanEstimate(text, conditioning, loading, denoising / _request.Steps, c.Tiles.Seconds, c.GradedSeconds),
            UnlimitedSeconds = unlimitedSeconds,
            Explanation = [],
        };
        return plan with { Explanation = PlanNarrator.Tell(plan, _device) };

        ComponentPlan Component(ComponentChoice choice, int lent, bool sessionsTurn)
        {
            // SwappedOut are the last resident stages: the first ones are wanted first.
            int resident = choice.Placements.Count(placement => placement == StagePlacement.Resident), seen = 0;
            return new ComponentPlan(choice.Component.Name,
            [
                .. choice.Component.Stages.Select((stage, i) => choice.Placements[i] switch
                {
                    StagePlacement.Session => new StagePlan(stage.Name, sessionsTurn ? StagePlacement.RotatingSession : StagePlacement.Session, (long)(stage.ConstantBytes * (sessionsTurn ? _device.RotatingSessions : _device.KeptSessions).HeldFactor)),
                    StagePlacement.Mapped => new StagePlan(stage.Name, StagePlacement.Mapped, 0),
                    StagePlacement.Resident => new StagePlan(stage.Name, seen++ >= resident - lent ? StagePlacement.SwappedOut : StagePlacement.Resident, choice.WeightBytes(i)),
                    StagePlacement streamed => new StagePlan(stage.Name, streamed, choice.WeightBytes(i)),
                }),
            ]);
        }

        IReadOnlyList<StagePlan> Sessions(string component, bool turn) =>
            [.. _model.Component(component).Stages.Select(stage => new StagePlan(stage.Name, turn ? StagePlacement.RotatingSession : StagePlacement.Session, (long)(stage.ConstantBytes * _device.KeptSessions.HeldFactor)))];
    }

    // The same sums as above, share by share.
    private IReadOnlyList<PhasePlan> Phases(Candidate c)
    {
        Pass pass = c.Pass;
        long lent = c.Network.Swappable[c.SwappedOut];
        return [.. Enum.GetValues<PlanPhase>().Select(phase => new PhasePlan(phase, [.. Shares(phase).Where(share => share.Bytes > 0)]))];

        IEnumerable<MemoryShare> Shares(PlanPhase phase)
        {
            bool denoises = phase == PlanPhase.Denoising, hasDecoder = c.Manner.DecoderStays || phase == PlanPhase.Decoding;
            yield return new MemoryShare(_device.MapsWeights ? "process" : "context and libraries", _device.FixedBytes);
            yield return new MemoryShare("sessions", _otherSessionBytes + SecondHandles(c) + (!c.Network.RotatesSessions ? _unetSessions.Bytes : denoises ? _unetSessions.RotationBytes : 0));
            yield return new MemoryShare("sessions in the making", denoises ? MakingBytes(c) : phase == PlanPhase.Decoding ? _decoderSession.MakingBytes(c.Tiles.ArenaBytes) : 0);
            yield return new MemoryShare("resident weights", c.Preparation.ResidentBytes + c.Network.Choice.ResidentBytes - lent);
            yield return new MemoryShare("lent weights", denoises ? lent : 0);
            yield return new MemoryShare("window of streamed weights", phase switch
            {
                PlanPhase.Denoising => c.Network.Choice.StreamingBufferBytes,
                PlanPhase.Decoding => 0,
                _ => c.Preparation.StreamingBufferBytes,
            });
            yield return new MemoryShare("tensors between stages", pass.BlockBytes);
            yield return new MemoryShare("latents and pictures", pass.HostBytes);
            yield return new MemoryShare(ResidencyPlan.DecoderShare, hasDecoder ? DecoderBytes(c) : 0);
            yield return new MemoryShare("captured step", c.Manner.Captures ? _device.CaptureBytes!.Value : 0);
            yield return new MemoryShare(ResidencyPlan.WorkingMemoryShare, Arena(c, phase));
            yield return new MemoryShare("left free", _device.MarginBytes);
        }
    }

    // It comes in the place of the fp16 decoder. Working memory that was kept goes with that, but on a processor, where one arena serves all: what lies there may be of no use.
    private (TilePlan? Tiles, long Bytes) Rescue(Candidate c, long budget)
    {
        long rest = Memory(c).Decoding - (c.Manner.KeepsDecodingArena && _device.MapsWeights ? 0 : c.Tiles.ArenaBytes) - DecoderBytes(c) - _decoderSession.MakingBytes(c.Tiles.ArenaBytes) + _rescueSession.Bytes;
        long Bytes(TileChoice tiles) => rest + _rescueSession.MakingBytes(tiles.ArenaBytes) + tiles.BlockBytes + tiles.ArenaBytes;
        return _rescueTiles.FirstOrDefault(tiles => Bytes(tiles) <= budget) is { } fitting ? (fitting.Tiles, Bytes(fitting)) : (null, 0);
    }

    private readonly record struct PhaseBytes(long Text, long Conditioning, long Denoising, long Decoding)
    {
        public long Max => Math.Max(Math.Max(Text, Conditioning), Math.Max(Denoising, Decoding));
    }

    // A whole plan, in numbers. SwappedOut counts the resident stages that are lent, and is an index into the network's sums; seconds are those of one picture.
    private readonly record struct Candidate(Pass Pass, Preparation Preparation, Network Network, Manner Manner, TileChoice Tiles, int SwappedOut, double Seconds)
    {
        /// <summary>How fast it is, in steps of a hundredth: estimates tell no less apart.</summary>
        public int Grade => (int)Math.Round(Math.Log(Seconds, GradeStep));

        /// <summary>The seconds that stand for the grade.</summary>
        public double GradedSeconds => Math.Pow(GradeStep, Grade);

        public long CopiedBytes => Preparation.StreamedBytes + Network.Choice.StreamedBytes + Network.Swappable[SwappedOut];
    }

    /// <summary>A way to run the denoising network and what follows it.</summary>
    /// <param name="KeepsArena">Whether text and denoising keep their working memory between the phases: a captured step needs it where it was.</param>
    /// <param name="Captures">Whether steps are captured.</param>
    /// <param name="DecoderStays">Whether the decoder is there in every phase.</param>
    /// <param name="KeepsDecodingArena">Whether it keeps its working memory as well.</param>
    private readonly record struct Manner(bool KeepsArena, bool Captures, bool DecoderStays, bool KeepsDecodingArena);

    /// <summary>Places of what runs before the steps.</summary>
    /// <param name="Choices">Each component's stages.</param>
    /// <param name="TextSeconds">Seconds of the texts, once for all pictures.</param>
    /// <param name="ConditioningSeconds">Seconds of what is computed from them once per pass.</param>
    /// <param name="Passes">Passes that all the pictures take.</param>
    private sealed record Preparation(IReadOnlyList<ComponentChoice> Choices, double TextSeconds, double ConditioningSeconds, int Passes)
    {
        public long ResidentBytes { get; } = Choices.Sum(choice => choice.ResidentBytes);

        public long StreamedBytes { get; } = Choices.Sum(choice => choice.StreamedBytes);

        public long PinnedBytes { get; } = Choices.Sum(choice => choice.PinnedBytes);

        public long StreamingBufferBytes { get; } = Choices.Max(choice => choice.StreamingBufferBytes);

        private double Seconds => TextSeconds + Passes * ConditioningSeconds;

        /// <summary>Whether nothing speaks for this one against another.</summary>
        public bool IsWorse(Preparation other) =>
            !ReferenceEquals(this, other) && ResidentBytes >= other.ResidentBytes && StreamingBufferBytes >= other.StreamingBufferBytes && StreamedBytes >= other.StreamedBytes
            && Seconds >= other.Seconds;
    }

    /// <summary>Places of the denoising network.</summary>
    /// <param name="Choice">Which stages are streamed.</param>
    /// <param name="RotatesSessions">Whether sessions that hold constants take turns.</param>
    /// <param name="PlainSeconds">Seconds of all steps.</param>
    /// <param name="CapturedSeconds">The same with captured steps.</param>
    /// <param name="Manners">Ways to run it.</param>
    private sealed record Network(ComponentChoice Choice, bool RotatesSessions, double PlainSeconds, double CapturedSeconds, IReadOnlyList<Manner> Manners)
    {
        /// <summary>Bytes that are lent with none, one, two and more of the resident stages, the last first.</summary>
        public List<long> Swappable { get; } = Sums(Choice);

        /// <summary>Whether nothing speaks for this one against another.</summary>
        public bool IsWorse(Network other) =>
            !ReferenceEquals(this, other) && RotatesSessions == other.RotatesSessions && Choice.ResidentBytes >= other.Choice.ResidentBytes && Choice.StreamingBufferBytes >= other.Choice.StreamingBufferBytes
            && PlainSeconds >= other.PlainSeconds && CapturedSeconds >= other.CapturedSeconds;

        private static List<long> Sums(ComponentChoice choice)
        {
            List<long> sums = [0];
            for (int i = choice.Placements.Length - 1; i >= 0; i--)
                if (choice.Placements[i] == StagePlacement.Resident) sums.Add(sums[^1] + choice.WeightBytes(i));
            return sums;
        }
    }

    /// <summary>A number of pictures that are denoised together.</summary>
    private sealed class Pass
    {
        private readonly ResidencySearch _search;

        public Pass(ResidencySearch search, int pictures, int height, int width)
        {
            _search = search;
            Pictures = pictures;
            ResidencyRequest request = search._request;
            DeviceProfile device = search._device;
            Passes = (request.Count + pictures - 1) / pictures;
            var shape = new PictureShape(pictures * (request.Guided ? 2 : 1), RoundUp(height), RoundUp(width), 1);
            var text = new PictureShape(1, 0, 0, 0);
            PictureShape steps = shape with { Steps = request.Steps };
            ComponentSpec Part(string name) => search._model.Component(name);
            ComponentSpec unet = Part(ComponentNames.UNet), context = Part(ComponentNames.CrossAttention), time = Part(ComponentNames.TimeEmbedding);
            HashSet<string> keys = [.. context.Outputs.Select(output => output.Name)];
            bool IsShift(TensorSpec tensor) => tensor.Name.StartsWith("shift.", StringComparison.Ordinal);
            BlockBytes = ComponentRunner.BlockBytes(Part(ComponentNames.ClipL), text) + ComponentRunner.BlockBytes(Part(ComponentNames.ClipG), text)
                + ComponentRunner.BlockBytes(context, shape) + ComponentRunner.BlockBytes(time, steps) + unet.Inputs.Where(IsShift).Sum(shift => shift.Bytes(shape))
                + ComponentRunner.BlockBytes(unet, shape, tensor => keys.Contains(tensor.Name) || IsShift(tensor));

            if (device.MapsWeights)
            {
                // Latents and noise of each picture, what goes into the network and comes out, and in the end the pictures themselves.
                TensorSpec latents = unet.Inputs.First(input => input.Name == "latents");
                (int canvasWidth, int canvasHeight) = request.Frame?.CanvasOf(request.Width, request.Height) ?? (request.Width, request.Height);
                HostBytes = 2 * latents.Bytes(shape) + pictures * (3 * latents.Bytes(shape with { Batch = 1 }) + 3L * canvasWidth * canvasHeight);
            }

            StageWork[] Work(ComponentSpec component, PictureShape shape) => [.. component.Stages.Select(stage => StageWork.Of(component, stage, shape))];
            StageWork[] clipL = Work(Part(ComponentNames.ClipL), text), clipG = Work(Part(ComponentNames.ClipG), text), contextWork = Work(context, shape), timeWork = Work(time, steps), unetWork = Work(unet, shape);
            long Arena(string component, PictureShape shape, StageWork[] work) => device.ArenaBytes(component, shape) + work.Max(stage => stage.CastBytes);
            TextArena = Math.Max(Arena(ComponentNames.ClipL, text, clipL), Arena(ComponentNames.ClipG, text, clipG));
            ConditioningArena = Math.Max(Arena(ComponentNames.CrossAttention, shape, contextWork), Arena(ComponentNames.TimeEmbedding, steps, timeWork));
            UNetArena = Arena(ComponentNames.UNet, shape, unetWork);
            RotationArena = device.ArenaBytes(ComponentNames.UNet, shape, sessionsTurn: true) + unetWork.Max(stage => stage.CastBytes);

            // 1. The denoising network has the first claim on pinned memory: its weights are copied in every step.
            List<Network> networks = [.. ChooseNetworks(unet, unetWork)];
            Networks = [.. networks.Where((network, i) => !networks.Where((other, j) => network.IsWorse(other) && (j < i || !other.IsWorse(network))).Any())];

            // 2. What is streamed for the preparation is copied once a pass; from the mapped file where the network might need all that can be pinned.
            long spare = Math.Max(0, request.PinnedBytes - unetWork.Sum(stage => stage.WeightBytes));
            int texts = request.Guided ? 2 : 1;
            List<Preparation> preparations = [];
            foreach (string[] streamed in device.MapsWeights ? StreamedInPreparation.Take(1) : StreamedInPreparation)
            {
                long left = spare;
                List<ComponentChoice> choices = [];
                foreach ((string name, StageWork[] work) in Preparing.Zip([clipL, clipG, contextWork, timeWork]))
                {
                    bool[] flags = new bool[work.Length];
                    Array.Fill(flags, streamed.Contains(name));
                    choices.Add(new ComponentChoice(Part(name), work, flags, ComponentChoice.LeastBuffer, left, device));
                    left -= choices[^1].PinnedBytes;
                }

                double[] seconds = [.. choices.Select(choice => choice.Seconds(1, device.NarrowOperationsPerSecond))];
                preparations.Add(new Preparation(choices, texts * (seconds[0] + seconds[1]), seconds[2] + seconds[3], Passes));
            }

            Preparations = [.. preparations.Where((preparation, i) => !preparations.Where((other, j) => preparation.IsWorse(other) && (j < i || !other.IsWorse(preparation))).Any())];
        }

        public int Pictures { get; }

        /// <summary>Passes that all the pictures take.</summary>
        public int Passes { get; }

        public IReadOnlyList<Preparation> Preparations { get; }

        public IReadOnlyList<Network> Networks { get; }

        /// <summary>Bytes of all tensors that lie between stages, and of what is computed once.</summary>
        public long BlockBytes { get; }

        /// <summary>Bytes of host memory for latents and pictures, where that is the memory that counts.</summary>
        public long HostBytes { get; }

        public long TextArena { get; }

        public long ConditioningArena { get; }

        public long UNetArena { get; }

        /// <summary>The same where sessions take turns.</summary>
        public long RotationArena { get; }

        /// <summary>Seconds of a pass without its texts and its decoding.</summary>
        public double Seconds(Preparation preparation, Network network, Manner manner) =>
            preparation.ConditioningSeconds + LoadingSeconds(manner) + DenoisingSeconds(network, manner);

        public double LoadingSeconds(Manner manner) =>
            (manner.KeepsArena ? 0 : _search._device.ArenaSeconds) + (manner.KeepsDecodingArena ? 0 : _search._device.ArenaSeconds) + (manner.DecoderStays ? 0 : _search._decoderSession.Seconds);

        public double DenoisingSeconds(Network network, Manner manner) =>
            (manner.Captures ? network.CapturedSeconds : network.PlainSeconds) + (network.RotatesSessions ? _search._request.Steps * _search._unetSessions.Seconds : 0);

        private static int RoundUp(int side) => (side + PlaneStep - 1) / PlaneStep * PlaneStep;

        private IEnumerable<Network> ChooseNetworks(ComponentSpec unet, StageWork[] work)
        {
            DeviceProfile device = _search._device;
            ResidencyRequest request = _search._request;
            bool[][] spreads = device.MapsWeights ? [new bool[work.Length]] : [.. ComponentChoice.EvenSpreads(unet, device)];
            bool[] all = [.. unet.Stages.Select(stage => stage.Weights.Count > 0)];
            Network Of(bool[] spread, int bufferHalves, bool sessionsTurn)
            {
                var choice = new ComponentChoice(unet, work, spread, bufferHalves, request.PinnedBytes, device);
                Manner spare = new(false, false, true, false), least = new(false, false, false, false);
                Manner[] manners = sessionsTurn ? [least]
                    : device.CaptureBytes is null ? [new(true, false, true, true), spare, least]
                    : [new(true, true, true, true), new(true, true, true, false), spare, least];
                return new Network(choice, sessionsTurn, choice.Seconds(request.Steps, device.OperationsPerSecond, device.StepSeconds), choice.Seconds(request.Steps, device.OperationsPerSecond, device.StepSeconds, device.CapturedShare), manners);
            }

            if (request.Offload is OffloadMode.Auto)
                foreach (bool[] spread in spreads)
                    foreach (int halves in spread.Any(streamed => streamed) ? BufferSizes : [ComponentChoice.LeastBuffer]) yield return Of(spread, halves, sessionsTurn: false);
            if (request.Offload is OffloadMode.Resident) yield return Of(spreads[0], ComponentChoice.LeastBuffer, sessionsTurn: false);
            if (request.Offload is OffloadMode.Stream)
                foreach (int halves in BufferSizes) yield return Of(all, halves, sessionsTurn: false);
            if (request.Offload is OffloadMode.Auto or OffloadMode.Sessions) yield return Of(all, ComponentChoice.LeastBuffer, sessionsTurn: true);
        }
    }
}

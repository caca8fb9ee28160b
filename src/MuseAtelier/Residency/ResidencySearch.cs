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

    /// <summary>Latents are counted in planes of whole pixels at every level, so that a larger picture never counts for less.</summary>
    private const int PlaneStep = 4;

    private static readonly string[] Preparing = [ComponentNames.ClipL, ComponentNames.ClipG, ComponentNames.CrossAttention, ComponentNames.TimeEmbedding];

    private readonly ModelSizes _model;
    private readonly ResidencyRequest _request;
    private readonly DeviceProfile _device;
    private readonly List<Pass> _passes = [];
    private readonly Candidate[] _candidates;
    private readonly IReadOnlyList<TileChoice> _tiles;
    private readonly IReadOnlyList<TileChoice> _rescueTiles;
    private readonly SessionWeights _unetSessions, _decoderSession, _rescueSession;

    public ResidencySearch(ModelSizes model, ResidencyRequest request, DeviceProfile device)
    {
        (_model, _request, _device) = (model, request, device);
        int height = request.Height / VaeDecoder.Zoom, width = request.Width / VaeDecoder.Zoom;
        _tiles = TileChoices.For(model, ComponentNames.VaeDecoder, height, width, request.VaeTiling, TileChoices.SmallestSide, request.Frame, device);
        bool hasRescue = model.Components.Any(component => component.Name == ComponentNames.VaeDecoderFp32);
        _rescueTiles = hasRescue ? TileChoices.For(model, ComponentNames.VaeDecoderFp32, height, width, VaeTiling.Auto, TileChoices.SmallestRescueSide, request.Frame, device) : [];
        _unetSessions = SessionWeights.Of(model.Component(ComponentNames.UNet), device);
        _decoderSession = SessionWeights.Of(model.Component(ComponentNames.VaeDecoder), device);
        _rescueSession = hasRescue ? SessionWeights.Of(model.Component(ComponentNames.VaeDecoderFp32), device) : default;
        int least = request.PicturesPerPass ?? 1, most = request.PicturesPerPass ?? Math.Min(request.Count, PassPlace.MostPictures);
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
        foreach (Candidate candidate in _candidates) least = Math.Min(least, Memory(candidate with { Lent = candidate.Network.Lendable.Count - 1 }).Max);
        return least;
    }

    private Candidate? Fastest(long budget)
    {
        Candidate? best = null;
        foreach (Candidate candidate in _candidates)
        {
            // Lending only makes slower: behind the first that is slower, all are.
            if (best is { } found && candidate.Grade > found.Grade) break;
            if (Lend(candidate, budget) is { } fitting && (best is not { } current || Compare(fitting, current) < 0)) best = fitting;
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
    private Candidate? Lend(Candidate candidate, long budget)
    {
        PhaseBytes bytes = Memory(candidate);
        if (bytes.Denoising > budget) return null;
        long missing = Math.Max(bytes.Text, Math.Max(bytes.Conditioning, bytes.Decoding)) - budget;
        if (missing <= 0) return candidate;
        int lent = candidate.Network.Lendable.FindIndex(sum => sum >= missing);
        // A captured step remembers where weights lie.
        if (lent < 0 || candidate.Captures) return null;
        return candidate with { Lent = lent, Seconds = candidate.Seconds + candidate.Pass.Passes * LendingSeconds(candidate.Network, lent) / _request.Count };
    }

    private double LendingSeconds(Network network, int lent) =>
        network.Lendable[lent] / (IsPinned(network, lent) ? _device.CopyBytesPerSecond : _device.StagedBytesPerSecond);

    private bool IsPinned(Network network, int lent) => network.Lendable[lent] <= _request.PinnedBytes - network.Choice.PinnedBytes;

    private IEnumerable<Candidate> Candidates()
    {
        foreach (Pass pass in _passes)
        {
            foreach (Preparation preparation in pass.Preparations)
            {
                foreach (Network network in pass.Networks)
                {
                    foreach ((bool keepsArena, bool captures, bool decoderStays) in network.Manners)
                    {
                        // The encoders remember their texts: only the first pass waits for them.
                        double seconds = (preparation.TextSeconds + pass.Passes * pass.Seconds(preparation, network, keepsArena, captures, decoderStays)) / _request.Count;
                        foreach (TileChoice tiles in _tiles)
                            yield return new Candidate(pass, preparation, network, keepsArena, captures, decoderStays, tiles, 0, seconds + tiles.Seconds);
                    }
                }
            }
        }
    }

    private PhaseBytes Memory(in Candidate c)
    {
        Pass pass = c.Pass;
        long lent = c.Network.Lendable[c.Lent];
        long common = _device.FixedBytes + _device.MarginBytes + pass.BlockBytes + pass.HostBytes + c.Preparation.ResidentBytes + c.Network.Choice.ResidentBytes - lent + 2 * SlotBytes(c)
            + (c.Captures ? _device.CaptureBytes!.Value : 0) + (c.DecoderStays ? _decoderSession.Bytes + c.Tiles.BlockBytes : 0);
        long resting = common + (c.Network.SessionsTurn ? 0 : _unetSessions.Bytes);
        long denoising = common + lent + (c.Network.SessionsTurn ? _unetSessions.TurnBytes : _unetSessions.Bytes) + MakingBytes(c);
        // A captured step remembers where the slots are.
        long decoding = resting - (c.Captures ? 0 : 2 * SlotBytes(c)) + (c.DecoderStays ? 0 : _decoderSession.Bytes + c.Tiles.BlockBytes) + _decoderSession.MakingBytes(c.Tiles.ArenaBytes);
        long unetArena = UNetArena(c), all = pass.TextArena + pass.ConditioningArena + unetArena + c.Tiles.ArenaBytes;
        return c.KeepsArena
            ? new PhaseBytes(resting + all, resting + all, denoising + all, decoding + all)
            : new PhaseBytes(resting + pass.TextArena, resting + pass.ConditioningArena, denoising + unetArena, decoding + c.Tiles.ArenaBytes);
    }

    private static long UNetArena(in Candidate c) => c.Network.SessionsTurn ? c.Pass.TurnArena : c.Pass.UNetArena;

    // Sessions are made before anything runs, and then take more than they hold; what they take at most may be more than what a run needs.
    private long MakingBytes(in Candidate c) => c.Network.SessionsTurn ? 0 : _unetSessions.MakingBytes(UNetArena(c));

    private static long SlotBytes(in Candidate c) => Math.Max(c.Preparation.SlotBytes, c.Network.Choice.SlotBytes);

    private ResidencyPlan Describe(Candidate c, long budget, double unlimitedSeconds)
    {
        IReadOnlyList<PhasePlan> phases = Phases(c);
        PhaseBytes bytes = Memory(c);
        if (phases.Max(phase => phase.Bytes) != bytes.Max) throw new InvalidOperationException("The plan's shares do not add up to its sum.");
        int nextSlot = 0;
        List<ComponentPlan> components = [.. c.Preparation.Choices.Select(choice => Component(choice, 0, false))];
        components.Add(Component(c.Network.Choice, c.Lent, c.Network.SessionsTurn));
        components.Add(new ComponentPlan(ComponentNames.VaeDecoder, Sessions(ComponentNames.VaeDecoder, !c.DecoderStays)));
        string finishing = PictureFinisher.ComponentName(_request.Frame);
        components.Add(new ComponentPlan(finishing, Sessions(finishing, false)));
        double text = c.Preparation.TextSeconds, conditioning = c.Preparation.ConditioningSeconds;
        double denoising = c.Pass.DenoisingSeconds(c.Network, c.Captures), loading = c.Pass.LoadingSeconds(c.KeepsArena, c.DecoderStays) + LendingSeconds(c.Network, c.Lent);
        var plan = new ResidencyPlan
        {
            Request = _request with { Budget = budget },
            Offload = c.Network.SessionsTurn ? OffloadMode.Sessions : c.Network.Choice.StreamedBytes > 0 ? OffloadMode.Stream : OffloadMode.Resident,
            PicturesPerPass = c.Pass.Pictures,
            Components = components,
            SlotBytes = SlotBytes(c),
            PinnedBytes = c.Preparation.PinnedBytes + c.Network.Choice.PinnedBytes + (IsPinned(c.Network, c.Lent) ? c.Network.Lendable[c.Lent] : 0),
            CapturesSteps = c.Captures,
            KeepsArena = c.KeepsArena,
            Decoding = c.Tiles.Tiles,
            DecodingInFp32 = Rescue(c, budget),
            Phases = phases,
            PeakBytes = bytes.Max,
            Estimate = new PlanEstimate(text, conditioning, loading, denoising / _request.Steps, c.Tiles.Seconds, c.GradedSeconds),
            UnlimitedSeconds = unlimitedSeconds,
            Explanation = [],
        };
        return plan with { Explanation = PlanNarrator.Tell(plan, _device) };

        ComponentPlan Component(ComponentChoice choice, int lent, bool sessionsTurn)
        {
            // Lent are the last resident stages: the first ones are wanted first.
            int resident = choice.Placements.Count(placement => placement == StagePlacement.Resident), seen = 0;
            nextSlot = 0;
            return new ComponentPlan(choice.Component.Name,
            [
                .. choice.Component.Stages.Select((stage, i) => choice.Placements[i] switch
                {
                    StagePlacement.Session => new StagePlan(stage.Name, sessionsTurn ? StagePlacement.SessionTurn : StagePlacement.Session, (long)(stage.ConstantBytes * (sessionsTurn ? _device.TurnSessions : _device.KeptSessions).HeldFactor)),
                    StagePlacement.Mapped => new StagePlan(stage.Name, StagePlacement.Mapped, 0),
                    StagePlacement.Resident => new StagePlan(stage.Name, seen++ >= resident - lent ? StagePlacement.Lent : StagePlacement.Resident, choice.WeightBytes(i)),
                    StagePlacement streamed => new StagePlan(stage.Name, streamed, choice.WeightBytes(i), nextSlot++ % 2),
                }),
            ]);
        }

        IReadOnlyList<StagePlan> Sessions(string component, bool turn) =>
            [.. _model.Component(component).Stages.Select(stage => new StagePlan(stage.Name, turn ? StagePlacement.SessionTurn : StagePlacement.Session, (long)(stage.ConstantBytes * _device.KeptSessions.HeldFactor)))];
    }

    // The same sums as above, share by share.
    private IReadOnlyList<PhasePlan> Phases(Candidate c)
    {
        Pass pass = c.Pass;
        long lent = c.Network.Lendable[c.Lent];
        return [.. Enum.GetValues<PlanPhase>().Select(phase => new PhasePlan(phase, [.. Shares(phase).Where(share => share.Bytes > 0)]))];

        IEnumerable<MemoryShare> Shares(PlanPhase phase)
        {
            bool denoises = phase == PlanPhase.Denoising, hasDecoder = c.DecoderStays || phase == PlanPhase.Decoding;
            yield return new MemoryShare(_device.MapsWeights ? "process" : "context and libraries", _device.FixedBytes);
            yield return new MemoryShare("convolution sessions", !c.Network.SessionsTurn ? _unetSessions.Bytes : denoises ? _unetSessions.TurnBytes : 0);
            yield return new MemoryShare("sessions in the making", denoises ? MakingBytes(c) : phase == PlanPhase.Decoding ? _decoderSession.MakingBytes(c.Tiles.ArenaBytes) : 0);
            yield return new MemoryShare("resident transformer weights", c.Preparation.ResidentBytes + c.Network.Choice.ResidentBytes - lent);
            yield return new MemoryShare("lent transformer weights", denoises ? lent : 0);
            yield return new MemoryShare("two slots", phase == PlanPhase.Decoding && !c.Captures ? 0 : 2 * SlotBytes(c));
            yield return new MemoryShare("tensors between stages", pass.BlockBytes);
            yield return new MemoryShare("latents and pictures", pass.HostBytes);
            yield return new MemoryShare("decoder", hasDecoder ? _decoderSession.Bytes + c.Tiles.BlockBytes : 0);
            yield return new MemoryShare("captured step", c.Captures ? _device.CaptureBytes!.Value : 0);
            yield return new MemoryShare("working memory", c.KeepsArena ? pass.TextArena + pass.ConditioningArena + UNetArena(c) + c.Tiles.ArenaBytes : phase switch
            {
                PlanPhase.Text => pass.TextArena,
                PlanPhase.Conditioning => pass.ConditioningArena,
                PlanPhase.Denoising => UNetArena(c),
                _ => c.Tiles.ArenaBytes,
            });
            yield return new MemoryShare("left free", _device.MarginBytes);
        }
    }

    // It comes in the place of the fp16 decoder; where the arena is kept, what it holds by then may be of no use for it.
    private TilePlan? Rescue(Candidate c, long budget)
    {
        long rest = Memory(c).Decoding - (c.KeepsArena ? 0 : c.Tiles.ArenaBytes) - c.Tiles.BlockBytes - _decoderSession.Bytes - _decoderSession.MakingBytes(c.Tiles.ArenaBytes) + _rescueSession.Bytes;
        return _rescueTiles.FirstOrDefault(tiles => rest + _rescueSession.MakingBytes(tiles.ArenaBytes) + tiles.BlockBytes + tiles.ArenaBytes <= budget)?.Tiles;
    }

    private readonly record struct PhaseBytes(long Text, long Conditioning, long Denoising, long Decoding)
    {
        public long Max => Math.Max(Math.Max(Text, Conditioning), Math.Max(Denoising, Decoding));
    }

    // A whole plan, in numbers. Lent counts the resident stages that are lent, and is an index into the network's sums; seconds are those of one picture.
    private readonly record struct Candidate(Pass Pass, Preparation Preparation, Network Network, bool KeepsArena, bool Captures, bool DecoderStays, TileChoice Tiles, int Lent, double Seconds)
    {
        /// <summary>How fast it is, in steps of a hundredth: estimates tell no less apart.</summary>
        public int Grade => (int)Math.Round(Math.Log(Seconds, GradeStep));

        /// <summary>The seconds that stand for the grade.</summary>
        public double GradedSeconds => Math.Pow(GradeStep, Grade);

        public long CopiedBytes => Preparation.StreamedBytes + Network.Choice.StreamedBytes + Network.Lendable[Lent];
    }

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

        public long SlotBytes { get; } = Choices.Max(choice => choice.SlotBytes);

        private double Seconds => TextSeconds + Passes * ConditioningSeconds;

        /// <summary>Whether nothing speaks for this one against another.</summary>
        public bool IsWorse(Preparation other) =>
            !ReferenceEquals(this, other) && ResidentBytes >= other.ResidentBytes && SlotBytes >= other.SlotBytes && StreamedBytes >= other.StreamedBytes
            && Seconds >= other.Seconds;
    }

    /// <summary>Places of the denoising network.</summary>
    /// <param name="Choice">Which stages are streamed.</param>
    /// <param name="SessionsTurn">Whether sessions that hold constants take turns.</param>
    /// <param name="PlainSeconds">Seconds of all steps.</param>
    /// <param name="CapturedSeconds">The same with captured steps.</param>
    /// <param name="Manners">Ways to run it: whether the arena is kept, steps are captured, the decoder stays.</param>
    private sealed record Network(ComponentChoice Choice, bool SessionsTurn, double PlainSeconds, double CapturedSeconds, IReadOnlyList<(bool KeepsArena, bool Captures, bool DecoderStays)> Manners)
    {
        /// <summary>Bytes that are lent with none, one, two and more of the resident stages, the last first.</summary>
        public List<long> Lendable { get; } = Sums(Choice);

        /// <summary>Whether nothing speaks for this one against another.</summary>
        public bool IsWorse(Network other) =>
            !ReferenceEquals(this, other) && SessionsTurn == other.SessionsTurn && Choice.ResidentBytes >= other.Choice.ResidentBytes && Choice.SlotBytes >= other.Choice.SlotBytes
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
            TurnArena = device.ArenaBytes(ComponentNames.UNet, shape, sessionsTurn: true) + unetWork.Max(stage => stage.CastBytes);

            // 1. The denoising network has the first claim on pinned memory: its weights are copied in every step.
            List<Network> networks = [.. ChooseNetworks(unet, unetWork)];
            Networks = [.. networks.Where((network, i) => !networks.Where((other, j) => network.IsWorse(other) && (j < i || !other.IsWorse(network))).Any())];

            // 2. What is streamed for the preparation is copied once a pass; from the mapped file where the network might need all that can be pinned.
            long networkBytes = unetWork.Sum(stage => stage.WeightBytes), pinned = Math.Max(0, request.PinnedBytes - networkBytes);
            int texts = request.Guided ? 2 : 1;
            List<Preparation> preparations = [];
            for (int streamed = 0; streamed < (device.MapsWeights ? 1 : 1 << Preparing.Length); streamed++)
            {
                long left = pinned;
                List<ComponentChoice> choices = [];
                foreach ((string name, StageWork[] work) in Preparing.Zip([clipL, clipG, contextWork, timeWork]))
                {
                    bool[] flags = new bool[work.Length];
                    Array.Fill(flags, (streamed >> choices.Count & 1) == 1);
                    choices.Add(new ComponentChoice(Part(name), work, flags, left, device));
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
        public long TurnArena { get; }

        /// <summary>Seconds of a pass without its texts and its decoding.</summary>
        public double Seconds(Preparation preparation, Network network, bool keepsArena, bool captures, bool decoderStays) =>
            preparation.ConditioningSeconds + LoadingSeconds(keepsArena, decoderStays) + DenoisingSeconds(network, captures);

        public double LoadingSeconds(bool keepsArena, bool decoderStays) => (keepsArena ? 0 : _search._device.ArenaSeconds) + (decoderStays ? 0 : _search._decoderSession.Seconds);

        public double DenoisingSeconds(Network network, bool captures) =>
            (captures ? network.CapturedSeconds : network.PlainSeconds) + (network.SessionsTurn ? _search._request.Steps * _search._unetSessions.Seconds : 0);

        private static int RoundUp(int side) => (side + PlaneStep - 1) / PlaneStep * PlaneStep;

        private IEnumerable<Network> ChooseNetworks(ComponentSpec unet, StageWork[] work)
        {
            DeviceProfile device = _search._device;
            ResidencyRequest request = _search._request;
            bool[][] spreads = device.MapsWeights ? [new bool[work.Length]] : [.. ComponentChoice.EvenSpreads(unet)];
            bool[] all = [.. unet.Stages.Select(stage => stage.Kind == StageKind.Transformer)];
            Network Of(bool[] spread, bool sessionsTurn)
            {
                var choice = new ComponentChoice(unet, work, spread, request.PinnedBytes, device);
                (bool, bool, bool)[] manners = sessionsTurn ? [(false, false, false)]
                    : device.CaptureBytes is null ? [(true, false, true), (false, false, true), (false, false, false)]
                    : [(true, true, true), (true, false, true), (false, false, true), (false, false, false)];
                return new Network(choice, sessionsTurn, choice.Seconds(request.Steps, device.OperationsPerSecond), choice.Seconds(request.Steps, device.OperationsPerSecond, device.CapturedShare), manners);
            }

            if (request.Offload is OffloadMode.Auto)
                foreach (bool[] spread in spreads) yield return Of(spread, sessionsTurn: false);
            if (request.Offload is OffloadMode.Resident) yield return Of(spreads[0], sessionsTurn: false);
            if (request.Offload is OffloadMode.Stream) yield return Of(all, sessionsTurn: false);
            if (request.Offload is OffloadMode.Auto or OffloadMode.Sessions) yield return Of(all, sessionsTurn: true);
        }
    }
}

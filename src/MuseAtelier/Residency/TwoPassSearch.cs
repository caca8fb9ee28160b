namespace MuseAtelier.Residency;

/// <summary>
/// Finds one placement of weights for both passes of pictures, so that nothing moves where a pass follows the other one: of the placements
/// with which both passes keep the budget, the one with which they take the least time together. Batches and tiles stay those that each
/// pass has by itself, because bytes of pictures depend on them.
/// </summary>
internal sealed class TwoPassSearch
{
    private readonly DeviceProfile _device;
    private readonly Pass _first;
    private readonly Pass _second;

    private TwoPassSearch(ModelSizes model, PassPlans apart, DeviceProfile device)
    {
        _device = device;
        (ResidencyPlan first, ResidencyPlan second) = (apart.First, apart.Second!);
        long promptSets = Math.Max(first.PromptSetBytes, second.PromptSetBytes);
        var smaller = new PassParts(model, first, device, promptSets);
        var larger = new PassParts(model, second, device, promptSets);
        // The first pass is decoded only where its pixels are enlarged, and then encoded again.
        bool decodes = second.Encoding is not null;
        if (!decodes) smaller = smaller.Undecoded();
        _first = new Pass(model, smaller, larger.Held(decodes: true), device);
        _second = new Pass(model, larger, smaller.Held(decodes), device);
    }

    /// <summary>Plans with one placement for both passes.</summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="apart">The plan of each pass by itself.</param>
    /// <param name="device">The costs of the device.</param>
    /// <returns>
    /// The plans; null if there are none: on a device where weights never move, where the sessions of one pass alone rotate, and where no
    /// placement keeps the budget in both passes.
    /// </returns>
    public static PassPlans? Find(ModelSizes model, PassPlans apart, DeviceProfile device)
    {
        // Sessions that rotate are created otherwise than those that stay, so that bytes of pictures may depend on it.
        bool rotates = apart.First.Offload == OffloadMode.Rotate;
        if (device.MapsWeights || rotates != (apart.Second!.Offload == OffloadMode.Rotate)) return null;
        return new TwoPassSearch(model, apart, device.For(model.Lowering, model.Precisions)).Find(rotates, apart.First.BudgetBytes);
    }

    private PassPlans? Find(bool rotates, long budget)
    {
        (PlanCandidate First, PlanCandidate Second)? best = null;
        foreach ((PlanCandidate first, PlanCandidate second) in Candidates(rotates))
        {
            // Swapping can only add time.
            if (best is { } found && Seconds(found) < first.Seconds + second.Seconds) continue;
            if (FitInto(budget, first, second) is not { } fitting) continue;
            if (best is null || Compare(fitting, best.Value) < 0) best = fitting;
        }

        if (best is not { } chosen) return null;
        return new PassPlans(
            _first.Describe(chosen.First, budget, _second.Kind), _second.Describe(chosen.Second, budget, _first.Kind));
    }

    // Both passes list the same placements in the same order.
    private IEnumerable<(PlanCandidate First, PlanCandidate Second)> Candidates(bool rotates)
    {
        BatchChoice smaller = _first.Parts.Batch, larger = _second.Parts.Batch;
        for (int unet = 0; unet < smaller.UNets.Count; unet++)
        {
            if (smaller.UNets[unet].RotatesSessions != rotates) continue;
            IReadOnlyList<RunMode> modes = smaller.UNets[unet].Modes, others = larger.UNets[unet].Modes;
            // The pass that encodes has the modes in which the encoder stays.
            foreach (RunMode mode in modes.Count > others.Count ? modes : others)
                for (int conditioning = 0; conditioning < smaller.Conditionings.Count; conditioning++)
                    yield return (_first.Candidate(unet, conditioning, mode), _second.Candidate(unet, conditioning, mode));
        }
    }

    // The candidates, with as few resident stages swapped out as the phases other than denoising need.
    private (PlanCandidate First, PlanCandidate Second)? FitInto(long budget, PlanCandidate first, PlanCandidate second)
    {
        PhaseBytes smaller = _first.Memory.Phases(first), larger = _second.Memory.Phases(second);
        if (Math.Max(smaller.Denoising, larger.Denoising) > budget) return null;
        long missing = Math.Max(smaller.MaxBesidesDenoising, larger.MaxBesidesDenoising) - budget;
        if (missing <= 0) return (first, second);
        int swappedOut = first.UNet.Swappable.FindIndex(sum => sum >= missing);
        return swappedOut < 0 ? null : (_first.Swapping(first, swappedOut), _second.Swapping(second, swappedOut));
    }

    private int Compare((PlanCandidate First, PlanCandidate Second) a, (PlanCandidate First, PlanCandidate Second) b)
    {
        int bySeconds = Seconds(a).CompareTo(Seconds(b));
        if (bySeconds != 0) return bySeconds;
        int byCopies = (a.First.CopiedBytes + a.Second.CopiedBytes).CompareTo(b.First.CopiedBytes + b.Second.CopiedBytes);
        return byCopies != 0 ? byCopies : _second.Memory.Phases(a.Second).Max.CompareTo(_second.Memory.Phases(b.Second).Max);
    }

    private static double Seconds((PlanCandidate First, PlanCandidate Second) passes) => passes.First.Seconds + passes.Second.Seconds;

    /// <summary>What a pass by itself decides.</summary>
    private sealed record PassParts(ResidencyPlan Plan, BatchChoice Batch, TileChoice Tiles)
    {
        public PassParts(ModelSizes model, ResidencyPlan plan, DeviceProfile device, long promptSetBytes)
            : this(
                plan,
                new BatchChoice(model, plan.Request, device, plan.BatchSize, promptSetBytes),
                TileChoices.For(
                    model, plan.Request.InTiles(plan.Decoding), plan.Decoder.Name, TileChoices.SmallestRescueSide, device)[0])
        {
        }

        /// <summary>The seconds that a picture would take without a limit of memory.</summary>
        public double UnlimitedSeconds { get; init; } = Plan.UnlimitedSeconds;

        /// <summary>The pass where its latents are never decoded.</summary>
        public PassParts Undecoded() => this with
        {
            Tiles = new TileChoice(Tiles.Tiles, 0, 0, 0) { Encoding = Tiles.Encoding },
            UnlimitedSeconds = Plan.UnlimitedSeconds - Plan.Estimate.Decoding,
        };

        public HeldPass Held(bool decodes)
        {
            int capturedSteps = Plan.Request.StepsOfThePromptAlone > 0 ? 2 : 1;
            return new HeldPass(Batch.Memory, capturedSteps, decodes ? Tiles : null, Plan.Request.EncodesSource);
        }
    }

    /// <summary>A pass, with the memory that the other one holds.</summary>
    private sealed class Pass
    {
        private readonly PlanTime _time;
        private readonly PlanDescriber _describer;
        private readonly DeviceProfile _device;

        public Pass(ModelSizes model, PassParts parts, HeldPass other, DeviceProfile device)
        {
            (Parts, _device) = (parts, device);
            ResidencyRequest request = parts.Plan.Request;
            Memory = new PlanMemory(model, request, device, other);
            _time = new PlanTime(request, device, Memory.UNetSessions, Memory.DecoderSessions, Memory.EncoderSessions);
            _describer = new PlanDescriber(model, request, device, Memory, _time);
        }

        public PassParts Parts { get; }

        public PlanMemory Memory { get; }

        public PictureKind Kind => PictureKind.Of(Parts.Plan);

        // The batches of one picture.
        private double BatchShare => (double)Parts.Batch.Batches / Parts.Plan.Request.Count;

        public PlanCandidate Candidate(int unet, int conditioning, RunMode mode)
        {
            BatchChoice batch = Parts.Batch;
            double seconds = _time.Seconds(batch, batch.Conditionings[conditioning], batch.UNets[unet], mode)
                + _time.TileSeconds(batch, Parts.Tiles, mode);
            // Where steps are not captured, convolutions choose their algorithms again after each change of pass.
            if (!mode.Captures) seconds += BatchShare * _device.RowChangeSeconds;
            return new PlanCandidate(batch, batch.Conditionings[conditioning], batch.UNets[unet], mode, Parts.Tiles, seconds);
        }

        public PlanCandidate Swapping(PlanCandidate c, int swappedOut)
        {
            double seconds = BatchShare * _time.SwappingSeconds(c.UNet, swappedOut);
            return c with { SwappedOut = swappedOut, Seconds = c.Seconds + seconds };
        }

        public ResidencyPlan Describe(PlanCandidate c, long budget, PictureKind other) =>
            _describer.Describe(c, budget, Parts.UnlimitedSeconds, other);
    }
}

namespace MuseAtelier.Residency;

/// <summary>
/// The place where the budget decides what streams. The candidates (<see cref="CandidateSpace"/>) name a placement for all weights, and
/// their memory (<see cref="PlanMemory"/>) and their time (<see cref="PlanTime"/>) do not depend on the budget. A budget rules out the
/// candidates that take more, and the fastest of those that are left is the plan: <see cref="FastestWithin"/>. A larger budget rules out
/// fewer candidates, so that it never makes a picture slower.
/// </summary>
internal sealed class ResidencySearch
{
    private readonly ResidencyRequest _request;
    private readonly DeviceProfile _device;
    private readonly PlanMemory _memory;
    private readonly PlanTime _time;
    private readonly PlanDescriber _describer;
    private readonly PlanCandidate[] _candidates;

    // What a search reads of each candidate; of the first ones only, as many as a search has come to.
    private readonly int[] _buckets;
    private readonly PhaseBytes[] _bytes;
    private int _known;

    /// <summary>Lists all candidates, sorted by their time.</summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures; their budget is ignored here.</param>
    /// <param name="device">The costs of the device, in the precision of its lowering.</param>
    public ResidencySearch(ModelSizes model, ResidencyRequest request, DeviceProfile device)
    {
        _request = request;
        _device = device.For(model.Lowering, model.Precisions);
        _memory = new PlanMemory(model, request, _device);
        _time = new PlanTime(request, _device, _memory.UNetSessions, _memory.DecoderSessions, _memory.EncoderSessions);
        _describer = new PlanDescriber(model, request, _device, _memory, _time);
        _candidates = CandidateSpace.Of(model, request, _device, _memory.Decoder, _time);
        _buckets = new int[_candidates.Length];
        _bytes = new PhaseBytes[_candidates.Length];
    }

    /// <summary>The fastest plan within a budget, in bytes.</summary>
    /// <exception cref="BudgetTooSmallException">No candidate fits the budget.</exception>
    public ResidencyPlan Plan(long budget)
    {
        if (FastestWithin(budget) is not { } best)
        {
            string memory = _device.MapsWeights ? "memory" : "device memory";
            throw new BudgetTooSmallException(_request with { Budget = budget }, Least(), memory);
        }

        PlanCandidate unlimited = FastestWithin(long.MaxValue)!.Value;
        return _describer.Describe(best, budget, unlimited.BucketSeconds);
    }

    /// <summary>The least budget for which a plan exists, in bytes.</summary>
    public long Least()
    {
        long least = long.MaxValue;
        foreach (PlanCandidate candidate in _candidates)
        {
            PlanCandidate swapped = candidate with { SwappedOut = candidate.UNet.Swappable.Count - 1 };
            least = Math.Min(least, _memory.Phases(swapped).Max);
        }

        return least;
    }

    // The decision: of all candidates that fit the budget, if need be with stages swapped out between the phases, the fastest.
    private PlanCandidate? FastestWithin(long budget)
    {
        PlanCandidate? best = null;
        int bestBucket = int.MaxValue;
        for (int i = 0; i < _candidates.Length; i++)
        {
            if (i == _known) Compute(_known++);
            // Candidates are sorted by time without swapping, and swapping can only add time: once one is slower than the best found, all
            // later ones are too.
            if (_buckets[i] > bestBucket) break;
            if (FitInto(budget, i) is not { } fitting) continue;
            if (best is { } current && Compare(fitting, current) >= 0) continue;
            best = fitting;
            bestBucket = fitting.SpeedBucket;
        }

        return best;
    }

    private void Compute(int index)
    {
        _buckets[index] = _candidates[index].SpeedBucket;
        _bytes[index] = _memory.Phases(_candidates[index]);
    }

    // The candidate, with as few of the UNet's resident stages swapped out as the phases other than denoising need. Null if it does not
    // fit the budget.
    private PlanCandidate? FitInto(long budget, int index)
    {
        PhaseBytes bytes = _bytes[index];
        if (bytes.Denoising > budget) return null;
        PlanCandidate candidate = _candidates[index];
        long missing = bytes.MaxBesidesDenoising - budget;
        if (missing <= 0) return candidate;
        int swappedOut = candidate.UNet.Swappable.FindIndex(sum => sum >= missing);
        if (swappedOut < 0) return null;
        double swapping = candidate.Batch.Batches * _time.SwappingSeconds(candidate.UNet, swappedOut) / _request.Count;
        return candidate with { SwappedOut = swappedOut, Seconds = candidate.Seconds + swapping };
    }

    // Of two equally fast candidates, the one that copies less wins, then the one that takes less memory. Pictures share a batch only where
    // that gains more than the estimates' error, because the first picture is then finished later and its last bits are not those that its
    // seed gives in a batch of one.
    private int Compare(in PlanCandidate a, in PlanCandidate b)
    {
        int bySpeed = a.SpeedBucket.CompareTo(b.SpeedBucket);
        if (bySpeed != 0) return bySpeed;
        int byBatch = a.Batch.Pictures.CompareTo(b.Batch.Pictures);
        if (byBatch != 0) return byBatch;
        int bySeconds = a.Seconds.CompareTo(b.Seconds);
        if (bySeconds != 0) return bySeconds;
        int byCopies = a.CopiedBytes.CompareTo(b.CopiedBytes);
        return byCopies != 0 ? byCopies : _memory.Phases(a).Max.CompareTo(_memory.Phases(b).Max);
    }
}

using MuseAtelier.Cuda.Native;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Weights that are in device memory from the component's first run until <see cref="SwapOut"/>, and in pinned memory all the time. They
/// lie in one block of device memory, which the copy stream fills before the next run.
/// </summary>
internal sealed class SwappedWeights : PlacedWeights
{
    private readonly CardResources _card;
    private readonly WeightReader _reader;
    private readonly ReservedMemory _slab;
    private readonly CudaEvent _copied;
    private AppliedLoras? _loras;
    private bool _copyPending;

    /// <summary>Reserves the device addresses, and allocates no device memory yet.</summary>
    /// <param name="stages">The stages in the order in which they run; each has weights.</param>
    /// <param name="card">The card.</param>
    /// <param name="reader">Loads the weights; borrowed.</param>
    public SwappedWeights(IReadOnlyList<StageMemory> stages, CardResources card, WeightReader reader)
        : base(stages)
    {
        (_card, _reader) = (card, reader);
        _slab = ReservedMemory.Reserve(card.Card, card.Usage, WeightSlab.Bytes(stages));
        try
        {
            _copied = new CudaEvent();
        }
        catch
        {
            _slab.Dispose();
            throw;
        }

        WeightSlab.Place(stages, _slab.Address);
    }

    public override int UnpinnedStages => Stages.Count(stage => stage.Host is null);

    public override int StagesMergedInEveryRun => Stages.Count(stage => stage.Host is null && stage.IsChangedBy(_loras));

    public override Task Load(AppliedLoras? loras)
    {
        _loras = loras;
        return _reader.ToHost(Stages, loras);
    }

    // The device memory was given up, and the next run fills it from the pinned copies.
    public override Task Switch(AppliedLoras? former, AppliedLoras? next, CancellationToken stopping)
    {
        _loras = next;
        IEnumerable<StageMemory> changed = ChangedBy(former, next).Where(stage => stage.Host is not null);
        return _reader.ToHost(changed, next, AppliedLoras.LeftAlone(former, next), stopping);
    }

    // The copy stream fills the block, so that the stages before the first swapped-out one can run meanwhile.
    public override void Restore()
    {
        if (_slab.IsThere) return;
        _slab.Take();
        try
        {
            Fill();
        }
        catch
        {
            // The next run must fill the block again, because it is incomplete.
            _card.Settle();
            _slab.GiveUp();
            throw;
        }
    }

    public override void BeforeStage(int stage) => AwaitCopies();

    public override bool PrepareSwapOut() => _slab.IsThere;

    public override void SwapOut()
    {
        _slab.GiveUp();
        _copyPending = false;
    }

    public override void BeginCapture()
    {
        Restore();
        AwaitCopies();
    }

    public override void BeforeReplay()
    {
        Restore();
        AwaitCopies();
    }

    public override void Dispose()
    {
        if (_slab.IsThere) _card.Settle();
        _copied.Dispose();
        _slab.Dispose();
        foreach (StageMemory stage in Stages) stage.Host?.Dispose();
    }

    private void Fill()
    {
        bool allPinned = true;
        // An enumerator would be allocated in the denoising loop, which must not allocate.
        for (int i = 0; i < Stages.Count; i++)
        {
            StageMemory stage = Stages[i];
            allPinned &= stage.Host is not null;
            if (stage.Host is not null) _card.Copies.Copy(stage.Host.Address, stage.Device, stage.Bytes, CudaRuntime.HostToDevice);
        }

        if (!allPinned) _reader.ToDevice(Stages.Where(stage => stage.Host is null), _loras).GetAwaiter().GetResult();
        _copied.Record(_card.Copies);
        _copyPending = true;
    }

    private void AwaitCopies()
    {
        if (!_copyPending) return;
        _card.Compute.Wait(_copied);
        _copyPending = false;
    }
}

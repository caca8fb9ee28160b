using Microsoft.Extensions.Logging;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// A component's weights on a card. Resident ones lie in one slab, filled once; lent ones in another, which is given up between the runs
/// and filled again by the copy stream from pinned memory. The others wait in pinned memory, or in their file where
/// that is short, and pass through slots by the copy stream: a copy waits until the stage that used its slot has run, a stage waits
/// until its copy is done, and neither keeps the host waiting.
/// </summary>
internal sealed class CudaWeights : StageWeights
{
    private readonly int _card;
    private readonly CudaStream _compute;
    private readonly CudaStream _copies;
    private readonly ILogger _logger;
    private readonly string _component;
    private readonly StageMemory[] _stages;
    private readonly List<StageMemory> _streamed = [];
    private readonly List<StageMemory> _lent = [];
    private readonly bool[] _copyPending = new bool[SlotSchedule.Slots];
    private readonly bool[] _runPending = new bool[SlotSchedule.Slots];
    private readonly NativeBuffer? _slab;
    private readonly ElasticMemory? _lentSlab;
    private readonly CudaEvent? _lentCopied;
    private readonly WeightReader _reader;
    private readonly CudaSlots? _slots;
    private readonly CudaEvent? _joined;
    private readonly Task _load;
    private readonly SlotSchedule? _schedule;
    private StagedCopier? _stager;
    private SlotSchedule.Snapshot? _beforeCapture;
    private bool _loaded;
    private bool _awaited;
    private bool _lentPending;
    private bool _capturing;
    private bool _copiesCaptured;

    /// <summary>Takes the device memory and begins to load.</summary>
    public CudaWeights(ModelPackage package, ComponentSpec component, IReadOnlyList<WeightPlacement>? placements, CudaDevice device, WeightReader reader, ILogger logger)
    {
        (_card, _compute, _copies, _logger, _component) = (device.Card.Index, device.ComputeStream, device.CopyStream, logger, component.Name);
        _stages = [.. component.Stages.Select((stage, i) => StageMemory.Of(package, stage, placements?[i] ?? WeightPlacement.Resident))];
        _reader = reader;
        _streamed.AddRange(_stages.Where(stage => stage is { Bytes: > 0, Placement: WeightPlacement.Streamed or WeightPlacement.Staged }));
        _lent.AddRange(_stages.Where(stage => stage is { Bytes: > 0, Placement: WeightPlacement.Lent }));
        long resident = 0;
        foreach (StageMemory stage in _stages.Where(stage => stage is { Bytes: > 0, Placement: WeightPlacement.Resident }))
        {
            stage.Device = (nint)resident;
            resident += DeviceMemory.Align(stage.Bytes);
        }

        DeviceBytes = resident;
        try
        {
            if (resident > 0) _slab = device.Allocate(resident);
            foreach (StageMemory stage in _stages.Where(stage => stage.Placement == WeightPlacement.Resident)) stage.Device += _slab?.Address ?? 0;
            if (_lent.Count > 0)
            {
                _lentSlab = ElasticMemory.Reserve(_card, _lent.Sum(stage => DeviceMemory.Align(stage.Bytes)));
                _lentCopied = new CudaEvent();
                nint next = _lentSlab.Address;
                foreach (StageMemory stage in _lent)
                {
                    stage.Device = next;
                    next += (nint)DeviceMemory.Align(stage.Bytes);
                }
            }

            if (_streamed.Count > 0)
            {
                _slots = device.Slots(component.Name == ComponentNames.UNet, _streamed.Max(stage => stage.Bytes)).Hold();
                _schedule = new SlotSchedule(_streamed.Count);
                _joined = new CudaEvent();
                for (int i = 0; i < _streamed.Count; i++) (_streamed[i].Streamed, _streamed[i].Device) = (i, _slots.Address(SlotSchedule.SlotOf(i)));
            }

            _load = Load(device, reader);
        }
        catch
        {
            Free();
            throw;
        }
    }

    public override long DeviceBytes { get; }

    // Copies out of a file wait for the host, which a captured run does not have.
    public override bool CanCapture => _stager is null;

    public override nint Address(int stage, WeightSpec weight) => _stages[stage].Device + (nint)(weight.Offset - _stages[stage].From.Offset);

    public override void BeforeStage(int stage)
    {
        if (!_loaded) AwaitLoad();
        if (_lentSlab is { IsThere: false }) FillLent();
        if (_stages[stage].Placement == WeightPlacement.Lent) AwaitLent();
        int streamed = _stages[stage].Streamed;
        if (streamed < 0) return;
        Take(streamed);
        // Once for each copy: a stage that failed is begun again with its weights in place.
        if (!_awaited) _stager?.AwaitCopy();
        _awaited = true;
        int slot = SlotSchedule.SlotOf(streamed);
        if (!_copyPending[slot]) return;
        _slots!.Copied[slot].Hold(_compute);
        _copyPending[slot] = false;
    }

    public override void AfterStage(int stage)
    {
        int streamed = _stages[stage].Streamed;
        if (streamed < 0) return;
        int slot = SlotSchedule.SlotOf(streamed);
        _slots!.Ran[slot].Record(_compute);
        _runPending[slot] = true;
        _awaited = false;
        _schedule!.Ran(streamed);
        Feed();
    }

    public override void Lend()
    {
        _slots?.User?.Settle();
        if (_lentSlab is not { IsThere: true } && _slots is null) return;
        _copies.Synchronize();
        _compute.Synchronize();
        _lentSlab?.GiveUp();
        _lentPending = false;
        _slots?.GiveUp();
    }

    public override void BeginCapture()
    {
        if (!_loaded) AwaitLoad();
        if (_lentSlab is { IsThere: false }) FillLent();
        AwaitLent();
        if (_schedule is null) return;
        Take(0);
        _copies.Synchronize();
        _compute.Synchronize();
        _copyPending.AsSpan().Clear();
        _runPending.AsSpan().Clear();
        _beforeCapture = _schedule.Save();
        (_capturing, _copiesCaptured) = (true, false);
    }

    public override void BeforeReplay()
    {
        if (_lentSlab is { IsThere: false }) FillLent();
        AwaitLent();
        if (_schedule is null) return;
        // What was captured begins with the first stages in their slots, and knows of no copy outside itself.
        Take(0);
        for (int slot = 0; slot < SlotSchedule.Slots; slot++)
        {
            if (_copyPending[slot]) _slots!.Copied[slot].Hold(_compute);
            _copyPending[slot] = false;
        }
    }

    public override void JoinCapture()
    {
        if (!_copiesCaptured) return;
        _joined!.Record(_copies);
        _joined.Hold(_compute);
    }

    public override void EndCapture()
    {
        if (_schedule is null) return;
        // Nothing of what was captured has happened; and each time that it does, the slots end as they began.
        _schedule.Restore(_beforeCapture!);
        _copyPending.AsSpan().Clear();
        _runPending.AsSpan().Clear();
        _capturing = false;
    }

    public override void Dispose()
    {
        // A load that failed was reported to whoever waited for it, or nobody needed it.
        ((IAsyncResult)_load).AsyncWaitHandle.WaitOne();
        Free();
    }

    private void Free()
    {
        _stager?.Dispose();
        if (_slots is not null)
        {
            _copies.Synchronize();
            _compute.Synchronize();
            if (_slots.User == this) _slots.User = null;
            _slots.LetGo();
        }

        if (_lentSlab is { IsThere: true })
        {
            _copies.Synchronize();
            _compute.Synchronize();
        }

        _joined?.Dispose();
        _lentCopied?.Dispose();
        _lentSlab?.Dispose();
        foreach (StageMemory stage in _streamed.Concat(_lent)) stage.Host?.Dispose();
        _slab?.Dispose();
    }

    private Task Load(CudaDevice device, WeightReader reader)
    {
        Task resident = reader.ToDevice([.. _stages.Where(stage => stage is { Bytes: > 0, Placement: WeightPlacement.Resident }).Select(stage => (stage.From, stage.Device))]);
        Task streamed = reader.Do([.. _streamed.Concat(_lent).Where(stage => stage.Placement != WeightPlacement.Staged).Select(stage => (Action)stage.FillHost)]);
        return Task.WhenAll(resident, streamed);
    }

    private void AwaitLoad()
    {
        _load.GetAwaiter().GetResult();
        _loaded = true;
        if (_schedule is null) return;
        int staged = _streamed.Count(stage => stage.Host is null), short_ = _streamed.Count(stage => stage.Host is null && stage.Placement == WeightPlacement.Streamed);
        if (short_ > 0) CudaLog.PinnedMemoryShort(_logger, short_, _component);
        if (staged > 0) _stager = new StagedCopier(_card, _copies, _streamed, _slots!);
    }

    /// <summary>Waits until no thread of its own copies ahead into the slots.</summary>
    public void Settle() => _stager?.Drain();

    // By the copy stream, so that the stages before the first lent one run meanwhile.
    private void FillLent()
    {
        _lentSlab!.Take();
        List<(FileStretch From, nint To)> unpinned = [];
        foreach (StageMemory stage in _lent)
        {
            if (stage.Host is null) unpinned.Add((stage.From, stage.Device));
            else _copies.Copy(stage.Host.Address, stage.Device, stage.Bytes, CudaRuntime.HostToDevice);
        }

        if (unpinned.Count > 0) _reader.ToDevice(unpinned).GetAwaiter().GetResult();
        _lentCopied!.Record(_copies);
        _lentPending = true;
    }

    private void AwaitLent()
    {
        if (!_lentPending) return;
        _lentCopied!.Hold(_compute);
        _lentPending = false;
    }

    // Sees to it that the slots are this component's, and filled for a stage and the next.
    private void Take(int streamed)
    {
        if (_slots!.User == this && _slots.IsThere && _schedule!.IsDue(streamed)) return;
        _stager?.Drain();
        _awaited = false;
        _slots.Take();
        if (_slots.User != this)
        {
            // Its thread may still be copying ahead into them.
            _slots.User?.Settle();
            _schedule!.Forget();
        }

        _slots.User = this;
        // Another component, or a run that was broken off: what was asked for so far is what all slots wait for.
        for (int slot = 0; slot < SlotSchedule.Slots; slot++) _slots.Ran[slot].Record(_compute);
        _runPending.AsSpan().Fill(true);
        _schedule!.Restart(streamed);
        Feed();
    }

    private void Feed()
    {
        while (_schedule!.TryNext(out int stage, out bool isThere))
        {
            int slot = SlotSchedule.SlotOf(stage);
            if (_stager is not null)
            {
                _stager.Request(stage, isThere, _runPending[slot]);
            }
            else if (!isThere)
            {
                if (_runPending[slot]) _slots!.Ran[slot].Hold(_copies);
                StageMemory from = _streamed[stage];
                _copies.Copy(from.Host!.Address, from.Device, from.Bytes, CudaRuntime.HostToDevice);
                _slots!.Copied[slot].Record(_copies);
                if (_capturing) _copiesCaptured = true;
            }

            _runPending[slot] = false;
            if (!isThere) _copyPending[slot] = true;
        }
    }
}

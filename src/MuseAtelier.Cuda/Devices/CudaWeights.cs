using Microsoft.Extensions.Logging;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Packages;
using MuseAtelier.Residency;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// A component's weights on a card. Resident ones lie in one slab, filled once; lent ones in another, which is given up between the runs
/// and filled again by the copy stream from pinned memory. The others wait in pinned memory, or in their file where
/// that is short, and pass through a window by the copy stream: a copy waits until the stages that lay in its place have run, a stage waits
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
    private readonly List<StageMemory> _swapped = [];
    private readonly bool[] _copyPending = [];
    private readonly CudaEvent[] _copied = [];
    private readonly CudaEvent[] _ran = [];
    private readonly NativeBuffer? _slab;
    private readonly ReservedMemory? _swappedSlab;
    private readonly CudaEvent? _swappedCopied;
    private readonly WeightReader _reader;
    private readonly StreamingBuffer? _buffer;
    private readonly CudaEvent? _begun;
    private readonly CudaEvent? _joined;
    private readonly Task _load;
    private readonly StreamingSchedule? _schedule;
    private StagedCopier? _stager;
    private StreamingSchedule.Snapshot? _beforeCapture;
    private string? _notice;
    private bool _loaded;
    private bool _awaited;
    private bool _swappedPending;
    private bool _capturing;
    private bool _copiesCaptured;

    /// <summary>Takes the device memory and begins to load.</summary>
    public CudaWeights(ModelPackage package, ComponentSpec component, IReadOnlyList<WeightPlacement>? placements, CudaDevice device, WeightReader reader, ILogger logger)
    {
        (_card, _compute, _copies, _logger, _component) = (device.Card.Index, device.ComputeStream, device.CopyStream, logger, component.Name);
        _stages = [.. component.Stages.Select((stage, i) => StageMemory.Of(package, stage, placements?[i] ?? WeightPlacement.Resident))];
        _reader = reader;
        _streamed.AddRange(_stages.Where(stage => stage is { Bytes: > 0, Placement: WeightPlacement.Streamed or WeightPlacement.Staged }));
        _swapped.AddRange(_stages.Where(stage => stage is { Bytes: > 0, Placement: WeightPlacement.SwappedOut }));
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
            if (_swapped.Count > 0)
            {
                _swappedSlab = ReservedMemory.Reserve(_card, device.Usage, _swapped.Sum(stage => DeviceMemory.Align(stage.Bytes)));
                _swappedCopied = new CudaEvent();
                nint next = _swappedSlab.Address;
                foreach (StageMemory stage in _swapped)
                {
                    stage.Device = next;
                    next += (nint)DeviceMemory.Align(stage.Bytes);
                }
            }

            if (_streamed.Count > 0)
            {
                long[] sizes = [.. _streamed.Select(stage => stage.Bytes)];
                _buffer = device.Window(component.Name == ComponentNames.UNet, StreamingBufferLayout.LeastBytes(sizes)).Hold();
                var layout = new StreamingBufferLayout(sizes, _buffer.Bytes);
                _schedule = new StreamingSchedule(layout);
                (_begun, _joined, _copyPending) = (new CudaEvent(), new CudaEvent(), new bool[sizes.Length]);
                (_copied, _ran) = ([.. sizes.Select(_ => new CudaEvent())], [.. sizes.Select(_ => new CudaEvent())]);
                for (int i = 0; i < _streamed.Count; i++) (_streamed[i].Streamed, _streamed[i].Device) = (i, _buffer.Address + (nint)layout.Offsets[i]);
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

    public override string? Notice => _notice;

    public override nint Address(int stage, WeightSpec weight) => _stages[stage].Device + (nint)(weight.Offset - _stages[stage].From.Offset);

    public override void BeforeStage(int stage)
    {
        if (!_loaded) AwaitLoad();
        if (_swappedSlab is { IsThere: false }) FillSwapped();
        if (_stages[stage].Placement == WeightPlacement.SwappedOut) AwaitSwapped();
        int streamed = _stages[stage].Streamed;
        if (streamed < 0) return;
        Take(streamed);
        // Once for each copy: a stage that failed is begun again with its weights in place.
        if (!_awaited) AwaitStager();
        _awaited = true;
        AwaitCopy(streamed);
    }

    public override void AfterStage(int stage)
    {
        int streamed = _stages[stage].Streamed;
        if (streamed < 0) return;
        _ran[streamed].Record(_compute);
        _awaited = false;
        _schedule!.Ran();
        ScheduleCopies();
    }

    public override void SwapOut()
    {
        bool hasBuffer = _buffer is { IsThere: true } && _buffer.User == this;
        if (hasBuffer) Settle();
        if (_swappedSlab is not { IsThere: true } && !hasBuffer) return;
        _copies.Synchronize();
        _compute.Synchronize();
        _swappedSlab?.GiveUp();
        _swappedPending = false;
        if (hasBuffer) _buffer!.GiveUp();
    }

    public override void BeginCapture()
    {
        if (!_loaded) AwaitLoad();
        if (_swappedSlab is { IsThere: false }) FillSwapped();
        AwaitSwapped();
        if (_schedule is null) return;
        Take(0);
        _begun!.Record(_compute);
        _schedule.BeginRecording();
        ScheduleCopies();
        _copies.Synchronize();
        _compute.Synchronize();
        _copyPending.AsSpan().Clear();
        _beforeCapture = _schedule.Save();
        (_capturing, _copiesCaptured) = (true, false);
    }

    public override void BeforeReplay()
    {
        if (_swappedSlab is { IsThere: false }) FillSwapped();
        AwaitSwapped();
        if (_schedule is null) return;
        // What was captured begins with the first stages in their places, and knows of no copy outside itself.
        Take(0);
        for (int streamed = 0; streamed < _streamed.Count; streamed++) AwaitCopy(streamed);
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
        // Nothing of what was captured has happened; and each time that it does, the window ends as it began.
        _schedule.Restore(_beforeCapture!);
        _copyPending.AsSpan().Clear();
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
        if (_buffer is not null)
        {
            _copies.Settle();
            _compute.Settle();
            if (_buffer.User == this) _buffer.User = null;
            _buffer.Release();
        }

        if (_swappedSlab is { IsThere: true })
        {
            _copies.Settle();
            _compute.Settle();
        }

        foreach (CudaEvent one in _copied.Concat(_ran)) one.Dispose();
        _begun?.Dispose();
        _joined?.Dispose();
        _swappedCopied?.Dispose();
        _swappedSlab?.Dispose();
        foreach (StageMemory stage in _streamed.Concat(_swapped)) stage.Host?.Dispose();
        _slab?.Dispose();
    }

    private Task Load(CudaDevice device, WeightReader reader)
    {
        Task resident = reader.ToDevice([.. _stages.Where(stage => stage is { Bytes: > 0, Placement: WeightPlacement.Resident }).Select(stage => (stage.From, stage.Device))]);
        Task streamed = reader.Do([.. _streamed.Concat(_swapped).Where(stage => stage.Placement != WeightPlacement.Staged).Select(stage => (Action)stage.FillHost)]);
        return Task.WhenAll(resident, streamed);
    }

    private void AwaitLoad()
    {
        _load.GetAwaiter().GetResult();
        int unpinned = _streamed.Concat(_swapped).Count(stage => stage.Host is null && stage.Placement != WeightPlacement.Staged);
        if (unpinned > 0)
        {
            CudaLog.PinnedMemoryShort(_logger, unpinned, _component);
            _notice = FormattableString.Invariant($"Pinned memory is short: {unpinned} stages of {_component} come from their file, which is slower.");
        }

        if (_streamed.Exists(stage => stage.Host is null)) _stager = new StagedCopier(_card, _copies, _streamed, _copied);
        // Last: what failed here is tried again by the next run.
        _loaded = true;
    }

    /// <summary>Waits until no thread of its own copies ahead into the window. What did not come was wanted by nobody, and is not there.</summary>
    public void Settle()
    {
        if (_stager?.Drain() == false) _schedule!.Forget();
    }

    private void AwaitStager()
    {
        try
        {
            _stager?.AwaitCopy();
        }
        catch
        {
            // Nor were those behind it copied.
            _stager!.Drain();
            _schedule!.Forget();
            throw;
        }
    }

    // By the copy stream, so that the stages before the first lent one run meanwhile.
    private void FillSwapped()
    {
        _swappedSlab!.Take();
        bool allPinned = true;
        foreach (StageMemory stage in _swapped)
        {
            allPinned &= stage.Host is not null;
            if (stage.Host is not null) _copies.Copy(stage.Host.Address, stage.Device, stage.Bytes, CudaRuntime.HostToDevice);
        }

        if (!allPinned) _reader.ToDevice([.. _swapped.Where(stage => stage.Host is null).Select(stage => (stage.From, stage.Device))]).GetAwaiter().GetResult();
        _swappedCopied!.Record(_copies);
        _swappedPending = true;
    }

    private void AwaitSwapped()
    {
        if (!_swappedPending) return;
        _swappedCopied!.Hold(_compute);
        _swappedPending = false;
    }

    // Sees to it that the window is this component's, and filled for a stage and those after it.
    private void Take(int streamed)
    {
        if (_buffer!.User == this && _buffer.IsThere && _schedule!.IsDue(streamed)) return;
        Settle();
        _awaited = false;
        _buffer.Take();
        if (_buffer.User != this)
        {
            // Its thread may still be copying ahead into it.
            _buffer.User?.Settle();
            _schedule!.Forget();
        }

        _buffer.User = this;
        // Another component, or a run that was broken off: what was asked for so far is what every copy waits for.
        _begun!.Record(_compute);
        _schedule!.Restart(streamed);
        ScheduleCopies();
    }

    private void ScheduleCopies()
    {
        while (_schedule!.TryNext(out int streamed, out bool isThere, out int after))
        {
            CudaEvent mayBegin = after < 0 ? _begun! : _ran[after];
            if (_stager is not null)
            {
                _stager.Request(streamed, isThere, mayBegin);
            }
            else if (!isThere)
            {
                // Inside a capture nothing outside may be waited for, and nothing needs to be: the copy before waits for a stage inside it.
                if (!_capturing || after >= 0) mayBegin.Hold(_copies);
                StageMemory from = _streamed[streamed];
                _copies.Copy(from.Host!.Address, from.Device, from.Bytes, CudaRuntime.HostToDevice);
                _copied[streamed].Record(_copies);
                if (_capturing) _copiesCaptured = true;
            }

            if (!isThere) _copyPending[streamed] = true;
        }
    }

    private void AwaitCopy(int streamed)
    {
        if (!_copyPending[streamed]) return;
        _copied[streamed].Hold(_compute);
        _copyPending[streamed] = false;
    }
}

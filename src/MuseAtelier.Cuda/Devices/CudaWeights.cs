using System.Globalization;
using Microsoft.Extensions.Logging;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Packages;
using MuseAtelier.Residency;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// A component's weights on a card. Resident weights lie in one slab of device memory, which is filled once. Swapped-out weights lie in a
/// second slab, which <see cref="SwapOut"/> frees and which the copy stream fills again from pinned memory before the next run. All other
/// weights wait in pinned memory, or in their file where pinned memory is short, and the copy stream brings them into the streaming
/// buffer. A copy waits until the stages whose range it overwrites have run, and a stage waits until its copy is done; both waits happen
/// on the streams, so that neither blocks the host.
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
    public CudaWeights(
        ModelPackage package,
        ComponentSpec component,
        IReadOnlyList<StagePlacement>? placements,
        CudaDevice device,
        WeightReader reader,
        ILogger logger)
    {
        _card = device.Card.Index;
        _compute = device.ComputeStream;
        _copies = device.CopyStream;
        _logger = logger;
        _component = component.Name;
        _stages = [.. component.Stages.Select((stage, i) => StageMemory.Of(package, stage, placements?[i] ?? StagePlacement.Resident))];
        _reader = reader;
        _streamed.AddRange(_stages.Where(stage => stage is { Bytes: > 0, Placement: StagePlacement.Streamed or StagePlacement.Staged }));
        _swapped.AddRange(_stages.Where(stage => stage is { Bytes: > 0, Placement: StagePlacement.SwappedOut }));
        StageMemory[] resident = [.. _stages.Where(stage => stage.Placement == StagePlacement.Resident)];
        DeviceBytes = SlabBytes(resident);
        try
        {
            if (DeviceBytes > 0) _slab = device.Allocate(DeviceBytes);
            Place(resident, _slab?.Address ?? 0);
            if (_swapped.Count > 0)
            {
                _swappedSlab = ReservedMemory.Reserve(_card, device.Usage, SlabBytes(_swapped));
                _swappedCopied = new CudaEvent();
                Place(_swapped, _swappedSlab.Address);
            }

            if (_streamed.Count > 0)
            {
                long[] sizes = [.. _streamed.Select(stage => stage.Bytes)];
                bool everyStep = PipelineRecipe.Of(component.Name).RunsInEveryStep;
                _buffer = device.StreamingBufferFor(everyStep, StreamingBufferLayout.LeastBytes(sizes)).Hold();
                var layout = new StreamingBufferLayout(sizes, _buffer.Bytes);
                _schedule = new StreamingSchedule(layout);
                _begun = new CudaEvent();
                _joined = new CudaEvent();
                _copyPending = new bool[sizes.Length];
                _copied = [.. sizes.Select(_ => new CudaEvent())];
                _ran = [.. sizes.Select(_ => new CudaEvent())];
                PlaceStreamed(layout, _buffer.Address);
            }

            _load = Load();
        }
        catch
        {
            Free();
            throw;
        }
    }

    public override long DeviceBytes { get; }

    // Staged copies block the host while they read their file, and a captured run has no host part.
    public override bool CanCapture => _stager is null;

    public override string? Notice => _notice;

    public override nint Address(int stage, WeightSpec weight) =>
        _stages[stage].Device + (nint)(weight.Offset - _stages[stage].From.Offset);

    public override void BeforeStage(int stage)
    {
        if (!_loaded) AwaitLoad();
        if (_swappedSlab is { IsThere: false }) FillSwapped();
        if (_stages[stage].Placement == StagePlacement.SwappedOut) AwaitSwapped();
        int streamed = _stages[stage].Streamed;
        if (streamed < 0) return;
        ClaimBuffer(streamed);
        // Each copy must be awaited only once, because a stage that failed starts again with its weights already in place.
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
        if (hasBuffer) Drain();
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
        ClaimBuffer(0);
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
        // The captured run starts with the first stages in the buffer and waits for no copy outside itself.
        ClaimBuffer(0);
        for (int streamed = 0; streamed < _streamed.Count; streamed++) AwaitCopy(streamed);
    }

    public override void JoinCapture()
    {
        if (!_copiesCaptured) return;
        _joined!.Record(_copies);
        _compute.Wait(_joined);
    }

    public override void EndCapture()
    {
        if (_schedule is null) return;
        // Capturing records the copies without executing them, so the schedule is restored; every replay leaves the buffer in the state
        // in which it started.
        _schedule.Restore(_beforeCapture!);
        _copyPending.AsSpan().Clear();
        _capturing = false;
    }

    public override void Dispose()
    {
        // The wait ignores a failed load: the run that waited for the load reported the failure, or no run needed it.
        ((IAsyncResult)_load).AsyncWaitHandle.WaitOne();
        Free();
    }

    /// <summary>
    /// Waits until the staging thread has queued all requested copies into the streaming buffer. Copies that failed here belong to no
    /// current run; the buffer's content is then marked invalid.
    /// </summary>
    public void Drain()
    {
        if (_stager?.Drain() == false) _schedule!.Invalidate();
    }

    private static long SlabBytes(IEnumerable<StageMemory> stages) => stages.Sum(stage => DeviceMemory.Align(stage.Bytes));

    private static void Place(IEnumerable<StageMemory> stages, nint slab)
    {
        nint next = slab;
        foreach (StageMemory stage in stages)
        {
            stage.Device = next;
            next += (nint)DeviceMemory.Align(stage.Bytes);
        }
    }

    private void PlaceStreamed(StreamingBufferLayout layout, nint buffer)
    {
        for (int i = 0; i < _streamed.Count; i++)
        {
            _streamed[i].Streamed = i;
            _streamed[i].Device = buffer + (nint)layout.Offsets[i];
        }
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

    private Task Load()
    {
        IEnumerable<StageMemory> resident = _stages.Where(stage => stage is { Bytes: > 0, Placement: StagePlacement.Resident });
        Task onDevice = _reader.ToDevice([.. resident.Select(stage => (stage.From, stage.Device))]);
        IEnumerable<StageMemory> pinned = _streamed.Concat(_swapped).Where(stage => stage.Placement != StagePlacement.Staged);
        Task onHost = _reader.Do([.. pinned.Select(stage => (Action)stage.FillHost)]);
        return Task.WhenAll(onDevice, onHost);
    }

    private void AwaitLoad()
    {
        _load.GetAwaiter().GetResult();
        int unpinned = _streamed.Concat(_swapped).Count(stage => stage.Host is null && stage.Placement != StagePlacement.Staged);
        if (unpinned > 0)
        {
            CudaLog.PinnedMemoryShort(_logger, unpinned, _component);
            string count = unpinned.ToString(CultureInfo.InvariantCulture);
            _notice = $"Pinned memory is short: {count} stages of {_component} come from their file, which is slower.";
        }

        if (_streamed.Exists(stage => stage.Host is null)) _stager = new StagedCopier(_card, _copies, _streamed, _copied);
        // The flag must be set last, because the next run tries again what failed above.
        _loaded = true;
    }

    private void AwaitStager()
    {
        try
        {
            _stager?.AwaitCopy();
        }
        catch
        {
            // The thread skips the copies queued after a failed one, so their stages are missing too.
            _stager!.Drain();
            _schedule!.Invalidate();
            throw;
        }
    }

    // The copy stream fills the slab, so that the stages before the first swapped-out one can run meanwhile.
    private void FillSwapped()
    {
        _swappedSlab!.Take();
        bool allPinned = true;
        foreach (StageMemory stage in _swapped)
        {
            allPinned &= stage.Host is not null;
            if (stage.Host is not null) _copies.Copy(stage.Host.Address, stage.Device, stage.Bytes, CudaRuntime.HostToDevice);
        }

        if (!allPinned) ReadUnpinned();
        _swappedCopied!.Record(_copies);
        _swappedPending = true;
    }

    private void ReadUnpinned()
    {
        IEnumerable<StageMemory> unpinned = _swapped.Where(stage => stage.Host is null);
        _reader.ToDevice([.. unpinned.Select(stage => (stage.From, stage.Device))]).GetAwaiter().GetResult();
    }

    private void AwaitSwapped()
    {
        if (!_swappedPending) return;
        _compute.Wait(_swappedCopied!);
        _swappedPending = false;
    }

    // Makes this component the buffer's user, and schedules the copies for a stage and those after it unless the stage is already due.
    private void ClaimBuffer(int streamed)
    {
        if (_buffer!.User == this && _buffer.IsThere && _schedule!.IsDue(streamed)) return;
        Drain();
        _awaited = false;
        _buffer.Take();
        if (_buffer.User != this)
        {
            // The other component's staging thread may still be copying into the buffer.
            _buffer.User?.Drain();
            _schedule!.Invalidate();
        }

        _buffer.User = this;
        // Another component used the buffer, or a run ended early. Every copy must wait for all work queued so far, because that work may
        // still read the range that the copy overwrites.
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
                // A capture must not wait for an event outside itself, and need not: the copy before this one waits for a captured stage.
                if (!_capturing || after >= 0) _copies.Wait(mayBegin);
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
        _compute.Wait(_copied[streamed]);
        _copyPending[streamed] = false;
    }
}

using MuseAtelier.Runtime;
using MuseAtelier.Streaming;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Weights that are copied into the streaming buffer each time their stage runs: from pinned memory, or from their file where pinned memory
/// is short. A copy waits until the stages whose range it overwrites have run, and a stage waits until its copy is done; both waits happen
/// on the streams, so that neither blocks the host.
/// </summary>
internal sealed class StreamedWeights : PlacedWeights, IStreamingBufferUser
{
    private readonly CardResources _card;
    private readonly WeightReader _reader;
    private readonly StreamingBuffers _buffers;
    private readonly StreamingBuffer _buffer;
    private readonly StreamingSchedule _schedule;
    private readonly StreamedCopies _copies;
    private readonly CudaEvent[] _ran;
    private readonly CudaEvent _begun;
    private readonly CudaEvent _joined;
    private StreamingSchedule.Snapshot? _beforeCapture;
    private bool _awaited;
    private bool _copiesCaptured;

    /// <summary>Holds the streaming buffer, which takes no device memory yet.</summary>
    /// <param name="stages">The stages in the order in which they run; each has weights.</param>
    /// <param name="layout">The places of the stages in the streaming buffer.</param>
    /// <param name="everyStep">Whether the component runs in every step.</param>
    /// <param name="card">The card.</param>
    /// <param name="buffers">The streaming buffers.</param>
    /// <param name="reader">Loads the weights; borrowed.</param>
    /// <exception cref="ArgumentException">The layout is that of other stages.</exception>
    public StreamedWeights(
        IReadOnlyList<StageMemory> stages,
        StreamingBufferLayout layout,
        bool everyStep,
        CardResources card,
        StreamingBuffers buffers,
        WeightReader reader)
        : base(stages)
    {
        if (!layout.HasRoomFor([.. stages.Select(stage => stage.Bytes)]))
            throw new ArgumentException("The layout of the streaming buffer is that of other stages.", nameof(layout));
        (_card, _buffers, _reader) = (card, buffers, reader);
        _buffer = buffers.Hold(everyStep, layout.Bytes);
        try
        {
            _schedule = new StreamingSchedule(layout);
            _copies = new StreamedCopies(stages, card, reader.Files);
            _ran = CudaEvent.Create(stages.Count);
            _begun = new CudaEvent();
            _joined = new CudaEvent();
        }
        catch
        {
            Free();
            throw;
        }

        for (int i = 0; i < stages.Count; i++) stages[i].Device = _buffer.Address + (nint)layout.Offsets[i];
    }

    // Staged copies block the host while they read their file, and a captured run has no host part.
    public override bool CanCapture => !_copies.AreStaged;

    public override int UnpinnedStages => Stages.Count(stage => stage.Host is null && stage.Placement != StagePlacement.Staged);

    private bool IsCapturing => _beforeCapture is not null;

    private bool HasBuffer => _buffer.IsThere && _buffer.User == this;

    public override int StagesMergedInEveryRun => Stages.Count(stage => stage.Host is null && stage.IsChangedBy(_copies.Loras));

    public override Task Load(AppliedLoras? loras)
    {
        _copies.Loras = loras;
        return _reader.ToHost(Stages.Where(stage => stage.Placement != StagePlacement.Staged), loras);
    }

    // The buffer was given up, and the next run copies every stage into it again.
    public override Task Switch(AppliedLoras? former, AppliedLoras? next, CancellationToken stopping)
    {
        _copies.Loras = next;
        IEnumerable<StageMemory> changed = ChangedBy(former, next).Where(stage => stage.Host is not null);
        return _reader.ToHost(changed, next, AppliedLoras.LeftAlone(former, next), stopping);
    }

    public override void FinishLoading() => _copies.Begin();

    public override void BeforeStage(int stage)
    {
        ClaimBuffer(stage);
        // Each copy must be awaited only once, because a stage that failed starts again with its weights already in place.
        if (!_awaited) AwaitOldestCopy();
        _awaited = true;
        _copies.WaitFor(stage);
    }

    public override void AfterStage(int stage)
    {
        _ran[stage].Record(_card.Compute);
        _awaited = false;
        _schedule.Ran();
        ScheduleCopies();
    }

    public override bool PrepareSwapOut()
    {
        if (!HasBuffer) return false;
        Drain();
        return true;
    }

    public override void SwapOut()
    {
        if (HasBuffer) _buffer.GiveUp();
    }

    public override void BeginCapture()
    {
        ClaimBuffer(0);
        _begun.Record(_card.Compute);
        _schedule.BeginRecording();
        ScheduleCopies();
        _card.Synchronize();
        _copies.ForgetPending();
        _beforeCapture = _schedule.Save();
        _copiesCaptured = false;
    }

    public override void JoinCapture()
    {
        if (!_copiesCaptured) return;
        _joined.Record(_card.Copies);
        _card.Compute.Wait(_joined);
    }

    public override void EndCapture()
    {
        if (_beforeCapture is null) return;
        // Capturing records the copies without executing them, so the schedule is restored; every replay leaves the buffer in the state
        // in which it started.
        _schedule.Restore(_beforeCapture);
        _copies.ForgetPending();
        _beforeCapture = null;
    }

    public override void BeforeReplay()
    {
        // The captured run starts with the first stages in the buffer and waits for no copy outside itself.
        ClaimBuffer(0);
        for (int stage = 0; stage < Stages.Count; stage++) _copies.WaitFor(stage);
    }

    /// <summary>
    /// Waits until the staging thread has queued all requested copies into the streaming buffer. Copies that failed here belong to no
    /// current run; the buffer's content is then marked invalid.
    /// </summary>
    public void Drain()
    {
        if (!_copies.Drain()) _schedule.Invalidate();
    }

    public override void Dispose() => Free();

    private void Free()
    {
        _copies?.EndStaging();
        _card.Settle();
        if (_buffer.User == this) _buffer.User = null;
        _buffer.Release();
        _copies?.Dispose();
        foreach (CudaEvent ran in _ran ?? []) ran.Dispose();
        _begun?.Dispose();
        _joined?.Dispose();
        foreach (StageMemory stage in Stages) stage.Host?.Dispose();
    }

    // Makes this object the buffer's user, and schedules the copies for a stage and those after it unless the stage is already due.
    private void ClaimBuffer(int stage)
    {
        if (HasBuffer && _schedule.IsDue(stage)) return;
        Drain();
        _awaited = false;
        if (!_buffers.Claim(_buffer, this)) _schedule.Invalidate();
        // Another component used the buffer, or a run ended early. Every copy must wait for all work queued so far, because that work may
        // still read the range that the copy overwrites.
        _begun.Record(_card.Compute);
        _schedule.Restart(stage);
        ScheduleCopies();
    }

    private void ScheduleCopies()
    {
        while (_schedule.TryNext(out int stage, out bool isThere, out int after))
        {
            CudaEvent mayBegin = after < 0 ? _begun : _ran[after];
            // A capture must not wait for an event outside itself, and need not: the copy before this one waits for a captured stage.
            bool waits = !IsCapturing || after >= 0;
            _copies.Queue(stage, isThere, waits ? mayBegin : null);
            if (IsCapturing && !isThere) _copiesCaptured = true;
        }
    }

    private void AwaitOldestCopy()
    {
        try
        {
            _copies.AwaitOldest();
        }
        catch
        {
            _schedule.Invalidate();
            throw;
        }
    }
}

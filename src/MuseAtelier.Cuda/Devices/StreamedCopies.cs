using MuseAtelier.Cuda.Native;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// The copies of streamed stages into their places in the streaming buffer. They are queued directly while all weights are in pinned
/// memory; otherwise a staging thread queues them. An event tells the compute stream when a stage's copy is done.
/// </summary>
/// <param name="stages">The stages in the order in which they run.</param>
/// <param name="card">The card.</param>
/// <param name="files">The package's files.</param>
internal sealed class StreamedCopies(IReadOnlyList<StageMemory> stages, CardResources card, WeightFiles files) : IDisposable
{
    private readonly CudaEvent[] _copied = CudaEvent.Create(stages.Count);
    private readonly bool[] _pending = new bool[stages.Count];
    private StagedCopier? _stager;

    /// <summary>
    /// The LoRAs that change weights which are copied from their file; null if there are none. Must be set while no copy is requested.
    /// </summary>
    public AppliedLoras? Loras
    {
        get;
        set
        {
            field = value;
            if (_stager is not null) _stager.Loras = value;
        }
    }

    /// <summary>Whether a staging thread queues the copies.</summary>
    public bool AreStaged => _stager is not null;

    /// <summary>Starts the staging thread if weights of a stage are not in pinned memory. Must be called once all others are.</summary>
    public void Begin()
    {
        if (stages.Any(stage => stage.Host is null)) _stager = new StagedCopier(card, files, stages, _copied) { Loras = Loras };
    }

    /// <summary>Queues the copy of a stage, or requests it from the staging thread.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="isThere">Whether the weights are in place already, so that nothing is copied.</param>
    /// <param name="mayBegin">The event that the copy waits for; null if it waits only for the copy before it.</param>
    public void Queue(int stage, bool isThere, CudaEvent? mayBegin)
    {
        if (_stager is not null)
        {
            _stager.Request(stage, isThere, mayBegin!);
        }
        else if (!isThere)
        {
            if (mayBegin is not null) card.Copies.Wait(mayBegin);
            StageMemory from = stages[stage];
            card.Copies.Copy(from.Host!.Address, from.Device, from.Bytes, CudaRuntime.HostToDevice);
            _copied[stage].Record(card.Copies);
        }

        if (!isThere) _pending[stage] = true;
    }

    /// <summary>
    /// Blocks the host until the staging thread has queued the oldest copy that was not awaited yet; returns at once if there is no such
    /// thread. If that copy failed, the copies requested after it are missing too.
    /// </summary>
    public void AwaitOldest()
    {
        if (_stager is null) return;
        try
        {
            _stager.AwaitCopy();
        }
        catch
        {
            // The thread skips the copies queued after a failed one, so their stages are missing too.
            _stager.Drain();
            throw;
        }
    }

    /// <summary>Blocks the host until the staging thread has queued all requested copies.</summary>
    /// <returns>Whether all succeeded.</returns>
    public bool Drain() => _stager?.Drain() ?? true;

    /// <summary>Makes the compute stream wait for a stage's copy, unless it has waited already.</summary>
    public void WaitFor(int stage)
    {
        if (!_pending[stage]) return;
        card.Compute.Wait(_copied[stage]);
        _pending[stage] = false;
    }

    /// <summary>Makes the compute stream wait for no copy that was queued so far. All of them must be done, or recorded only.</summary>
    public void ForgetPending() => _pending.AsSpan().Clear();

    /// <summary>Ends the staging thread, and then waits for its copies.</summary>
    public void EndStaging() => _stager?.Dispose();

    /// <summary>Frees the events. <see cref="EndStaging"/> must have been called, and no copy may be in progress.</summary>
    public void Dispose()
    {
        foreach (CudaEvent copied in _copied) copied.Dispose();
    }
}

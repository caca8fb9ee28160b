using MuseAtelier.Cuda.Native;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Loads weights from files on threads of its own, and merges those that LoRAs change. Each thread reads a piece into pinned memory while
/// its previous piece is still being copied to the device. Loads are done one after the other in the order of the requests, and all threads
/// work on the same load. Threads and their memory exist only while there is work.
/// </summary>
/// <param name="card">The card's number, as CUDA counts them.</param>
/// <param name="usage">Counts the device memory that the threads take.</param>
/// <param name="threads">The most threads that read.</param>
/// <param name="files">The package's files.</param>
internal sealed class WeightReader(int card, DeviceUsage usage, int threads, WeightFiles files) : IDisposable
{
    /// <summary>Bytes of a piece: large enough for the bus's full speed, small enough that threads share a load evenly.</summary>
    public const int PieceBytes = 8 << 20;

    // Merging on the processor takes more threads than reading. Each has memory for the largest weight.
    private const int MostMergingThreads = 16;

    private readonly Lock _gate = new();
    private readonly Queue<WeightLoad.Piece> _pieces = [];
    private readonly List<NativeThread> _threads = [];
    private int _working;
    private bool _disposed;

    /// <summary>The package's files.</summary>
    public WeightFiles Files => files;

    /// <summary>Begins a load into device memory. The task ends when the load is complete.</summary>
    /// <param name="stages">The weights; their device memory must stay allocated until the task has ended.</param>
    /// <param name="loras">The LoRAs that change them; null if there are none.</param>
    /// <param name="isKept">Weights for which it is true are in place already; null means that none is.</param>
    /// <param name="stopping">Fails the load before its next piece.</param>
    public Task ToDevice(
        IEnumerable<StageMemory> stages,
        AppliedLoras? loras,
        Func<WeightSpec, bool>? isKept = null,
        CancellationToken stopping = default) =>
        Begin(new WeightLoad(stages, loras, toHost: false, isKept, stopping));

    /// <summary>Begins a load into pinned memory on the same threads. The task ends when the load is complete.</summary>
    /// <param name="stages">The weights. Those for which the system has no more pinned memory stay in their file.</param>
    /// <param name="loras">The LoRAs that change them; null if there are none.</param>
    /// <param name="isKept">Weights for which it is true are in place already; null means that none is.</param>
    /// <param name="stopping">Fails the load before its next piece.</param>
    public Task ToHost(
        IEnumerable<StageMemory> stages,
        AppliedLoras? loras,
        Func<WeightSpec, bool>? isKept = null,
        CancellationToken stopping = default) =>
        Begin(new WeightLoad(stages, loras, toHost: true, isKept, stopping));

    /// <summary>Waits for the threads. Loads with pieces that were not begun fail with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        NativeThread[] running;
        lock (_gate)
        {
            _disposed = true;
            while (_pieces.TryDequeue(out WeightLoad.Piece piece)) piece.Load.Done(new ObjectDisposedException(nameof(WeightReader)));
            running = [.. _threads];
        }

        foreach (NativeThread thread in running) thread.Join();
    }

    private Task Begin(WeightLoad load)
    {
        int count = load.Pieces.Count;
        if (count == 0) return Task.CompletedTask;
        NativeThread[] ended;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            int most = load.MergesOnHost ? Math.Max(threads, Math.Min(MostMergingThreads, Environment.ProcessorCount)) : threads;
            StartThreads(Math.Min(most, _pieces.Count + count));
            foreach (WeightLoad.Piece piece in load.Pieces) _pieces.Enqueue(piece);
            ended = [.. _threads.Where(thread => thread.HasEnded)];
            _threads.RemoveAll(ended.Contains);
        }

        foreach (NativeThread thread in ended) thread.Join();

        return load.Completion;
    }

    // Must be called under the lock and before pieces are queued: the threads wait for the lock, and a load that no thread can do leaves
    // nothing behind.
    private void StartThreads(int wanted)
    {
        while (_working < wanted)
        {
            var thread = new NativeThread("MuseAtelier weights", Run);
            try
            {
                thread.Start();
            }
            catch (ThreadLimitException) when (_working > 0)
            {
                // The threads that already run do all of the work.
                return;
            }

            _threads.Add(thread);
            _working++;
        }
    }

    private void Run()
    {
        using var worker = new WeightWorker(card, usage, files);
        while (TryTake(out WeightLoad.Piece piece)) worker.Take(piece);
    }

    private bool TryTake(out WeightLoad.Piece piece)
    {
        lock (_gate)
        {
            if (_pieces.TryDequeue(out piece)) return true;
            // The count must change under the same lock, so that the next load does not rely on a thread that is about to end.
            _working--;
            return false;
        }
    }
}

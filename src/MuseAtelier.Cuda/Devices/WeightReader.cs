using Microsoft.Win32.SafeHandles;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Loads weights from files on threads of its own. Each thread reads a piece into pinned memory while its previous piece is still being
/// copied to the device. Loads are done one after the other in the order of the requests, and all threads work on the same load. Threads
/// and pinned memory exist only while there is work.
/// </summary>
/// <param name="card">The card's number, as CUDA counts them.</param>
/// <param name="threads">The most threads.</param>
/// <param name="files">The package's files.</param>
internal sealed class WeightReader(int card, int threads, WeightFiles files) : IDisposable
{
    /// <summary>Bytes of a piece: large enough for the bus's full speed, small enough that threads share a load evenly.</summary>
    public const int PieceBytes = 8 << 20;

    private const int Buffers = 2;

    private readonly Lock _gate = new();
    private readonly Queue<Piece> _pieces = [];
    private readonly List<NativeThread> _threads = [];
    private int _working;
    private bool _disposed;

    /// <summary>The package's files.</summary>
    public WeightFiles Files => files;

    /// <summary>Begins a load into device memory. The task ends when the load is complete.</summary>
    /// <param name="stages">The weights; their device memory must stay allocated until the task has ended.</param>
    public Task ToDevice(IEnumerable<StageMemory> stages)
    {
        var load = new Load();
        foreach (StageMemory stage in stages)
        {
            WeightRange from = stage.Range;
            for (long done = 0; done < from.Length; done += PieceBytes)
            {
                long bytes = Math.Min(PieceBytes, from.Length - done);
                load.Pieces.Add(new Piece(load, new WeightRange(from.File, from.Offset + done, bytes), stage.Device + (nint)done, null));
            }
        }

        return Begin(load);
    }

    /// <summary>Begins a load into pinned memory on the same threads. The task ends when the load is complete.</summary>
    /// <param name="stages">The weights. Those for which the system has no more pinned memory stay in their file.</param>
    public Task ToHost(IEnumerable<StageMemory> stages)
    {
        var load = new Load();
        foreach (StageMemory stage in stages) load.Pieces.Add(new Piece(load, default, 0, stage));
        return Begin(load);
    }

    /// <summary>Waits for the threads. Loads with pieces that were not begun fail with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        NativeThread[] running;
        lock (_gate)
        {
            _disposed = true;
            while (_pieces.TryDequeue(out Piece piece)) piece.Load.Done(new ObjectDisposedException(nameof(WeightReader)));
            running = [.. _threads];
        }

        foreach (NativeThread thread in running) thread.Join();
    }

    private Task Begin(Load load)
    {
        int count = load.Pieces.Count;
        if (count == 0) return Task.CompletedTask;
        load.Remaining = count;
        NativeThread[] ended;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            StartThreads(_pieces.Count + count);
            foreach (Piece piece in load.Pieces) _pieces.Enqueue(piece);
            ended = [.. _threads.Where(thread => thread.HasEnded)];
            _threads.RemoveAll(ended.Contains);
        }

        foreach (NativeThread thread in ended) thread.Join();

        return load.Completion.Task;
    }

    // Must be called under the lock and before pieces are queued: the threads wait for the lock, and a load that no thread can do leaves
    // nothing behind.
    private void StartThreads(int pieces)
    {
        while (_working < Math.Min(threads, pieces))
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
        using var worker = new Worker(card, files);
        while (TryTake(out Piece piece)) worker.Take(piece);
    }

    private bool TryTake(out Piece piece)
    {
        lock (_gate)
        {
            if (_pieces.TryDequeue(out piece)) return true;
            // The count must change under the same lock, so that the next load does not rely on a thread that is about to end.
            _working--;
            return false;
        }
    }

    private sealed class Load
    {
        private Exception? _failure;

        public List<Piece> Pieces { get; } = [];

        public TaskCompletionSource Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Remaining;

        public void Done(Exception? failure)
        {
            if (failure is not null) Interlocked.CompareExchange(ref _failure, failure, null);
            if (Interlocked.Decrement(ref Remaining) != 0) return;
            if (_failure is null) Completion.SetResult();
            else Completion.SetException(_failure);
        }
    }

    // A piece of a range for the device; or a whole stage for pinned memory, if there is one.
    private readonly record struct Piece(Load Load, WeightRange From, nint To, StageMemory? ForHost);

    // One thread's pinned buffers, and the piece that is still being copied from each.
    private sealed class Worker(int card, WeightFiles files) : IDisposable
    {
        private readonly Piece?[] _copying = new Piece?[Buffers];
        private readonly CudaEvent?[] _copied = new CudaEvent?[Buffers];
        private CudaStream? _stream;
        private PinnedBuffer? _memory;
        private string? _fileName;
        private SafeFileHandle? _file;
        private int _next;
        private bool _bound;

        public void Take(Piece piece)
        {
            try
            {
                if (!_bound) CudaRuntime.Check(CudaRuntime.SetDevice(card), nameof(CudaRuntime.SetDevice));
                _bound = true;
                if (piece.ForHost is not null)
                {
                    piece.ForHost.FillHost(files);
                    piece.Load.Done(null);
                }
                else
                {
                    Copy(piece);
                }
            }
#pragma warning disable CA1031 // Any failure on the thread is reported by the load's task.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                piece.Load.Done(exception);
            }
        }

        public void Dispose()
        {
            for (int i = 0; i < Buffers; i++) FinishCopy(i);
            for (int i = 0; i < Buffers; i++) _copied[i]?.Dispose();
            _stream?.Dispose();
            _memory?.Dispose();
            _file?.Dispose();
        }

        private void Copy(Piece piece)
        {
            _stream ??= new CudaStream();
            _memory ??= new PinnedBuffer(PieceBytes * Buffers);
            int buffer = _next;
            _next = (_next + 1) % Buffers;
            FinishCopy(buffer);
            nint host = _memory.Address + buffer * PieceBytes;
            if (_fileName != piece.From.File)
            {
                _file?.Dispose();
                // If the file cannot be opened, no file is open under any name.
                _fileName = null;
                _file = files.Open(piece.From.File, FileOptions.SequentialScan);
                _fileName = piece.From.File;
            }

            WeightFiles.Read(_file!, piece.From, host);
            _stream.Copy(host, piece.To, piece.From.Length, CudaRuntime.HostToDevice);
            (_copied[buffer] ??= new CudaEvent()).Record(_stream);
            _copying[buffer] = piece;
        }

        private void FinishCopy(int buffer)
        {
            if (_copying[buffer] is not { } piece) return;
            _copying[buffer] = null;
            try
            {
                _copied[buffer]!.Synchronize();
                piece.Load.Done(null);
            }
            catch (MuseAtelierException exception)
            {
                piece.Load.Done(exception);
            }
        }
    }
}

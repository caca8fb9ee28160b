using MuseAtelier.Cuda.Native;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>A range of bytes of a package's file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">Offset of its first byte.</param>
/// <param name="Bytes">Its length.</param>
internal readonly record struct FileRange(string Path, long Offset, long Bytes);

/// <summary>
/// Loads weights from files on threads of its own. Each thread reads a piece into pinned memory while its previous piece is still being
/// copied to the device. Loads are done one after the other in the order of the requests, and all threads work on the same load. Threads
/// and pinned memory exist only while there is work.
/// </summary>
internal sealed class WeightReader(int card, int threads) : IDisposable
{
    /// <summary>Bytes of a piece: large enough for the bus's full speed, small enough that threads share a load evenly.</summary>
    public const int PieceBytes = 8 << 20;

    private const int Buffers = 2;

    private readonly Lock _gate = new();
    private readonly Queue<Piece> _pieces = [];
    private readonly List<NativeThread> _threads = [];
    private int _working;
    private bool _disposed;

    /// <summary>Begins a load into device memory. The task ends when the load is complete.</summary>
    /// <param name="ranges">The file ranges and each one's device address; the memory must stay allocated until the task has ended.</param>
    public Task ToDevice(IReadOnlyList<(FileRange From, nint To)> ranges)
    {
        var load = new Load();
        foreach ((FileRange from, nint to) in ranges)
        {
            for (long done = 0; done < from.Bytes; done += PieceBytes)
            {
                long bytes = Math.Min(PieceBytes, from.Bytes - done);
                load.Pieces.Add(new Piece(load, new FileRange(from.Path, from.Offset + done, bytes), to + (nint)done, null));
            }
        }

        return Begin(load);
    }

    /// <summary>
    /// Begins work that needs no device memory, such as filling pinned memory, on the same threads. The task ends when all work is done.
    /// </summary>
    public Task Do(IReadOnlyList<Action> work)
    {
        var load = new Load();
        foreach (Action action in work) load.Pieces.Add(new Piece(load, default, 0, action));
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
            foreach (Piece piece in load.Pieces) _pieces.Enqueue(piece);
            while (_working < Math.Min(threads, _pieces.Count))
            {
                _working++;
                var thread = new NativeThread("MuseAtelier weights", Run);
                _threads.Add(thread);
                thread.Start();
            }

            ended = [.. _threads.Where(thread => thread.HasEnded)];
            _threads.RemoveAll(ended.Contains);
        }

        foreach (NativeThread thread in ended) thread.Join();

        return load.Completion.Task;
    }

    private void Run()
    {
        using var worker = new Worker(card);
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

    private readonly record struct Piece(Load Load, FileRange From, nint To, Action? Work);

    // One thread's pinned buffers, and the piece that is still being copied from each.
    private sealed class Worker(int card) : IDisposable
    {
        private readonly Piece?[] _copying = new Piece?[Buffers];
        private readonly CudaEvent?[] _copied = new CudaEvent?[Buffers];
        private CudaStream? _stream;
        private PinnedBuffer? _memory;
        private string? _path;
        private Microsoft.Win32.SafeHandles.SafeFileHandle? _file;
        private int _next;
        private bool _bound;

        public void Take(Piece piece)
        {
            try
            {
                if (!_bound) CudaRuntime.Check(CudaRuntime.SetDevice(card), nameof(CudaRuntime.SetDevice));
                _bound = true;
                if (piece.Work is not null)
                {
                    piece.Work();
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
            if (_path != piece.From.Path)
            {
                _file?.Dispose();
                (_file, _path) = (File.OpenHandle(piece.From.Path, options: FileOptions.SequentialScan), piece.From.Path);
            }

            FileRangeReader.Read(_file!, piece.From, host);
            _stream.Copy(host, piece.To, piece.From.Bytes, CudaRuntime.HostToDevice);
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

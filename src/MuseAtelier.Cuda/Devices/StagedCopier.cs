using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Copies streamed weights of a component where some of them stay in their file. A thread of its own reads those piece by piece through a
/// ring of pinned memory; a piece is copied to the device while the next one is read. Copies are queued in the order of the requests.
/// Weights that LoRAs change are merged each time they are read.
/// </summary>
internal sealed unsafe class StagedCopier : IDisposable
{
    private const int PieceBytes = 16 << 20;
    private const int Pieces = 4;
    private const nuint Alignment = 256;

    private readonly int _card;
    private readonly CudaStream _copies;
    private readonly IReadOnlyList<StageMemory> _streamed;
    private readonly IReadOnlyList<CudaEvent> _copied;
    private readonly PinnedBuffer _ring;
    private readonly CudaEvent[] _pieceCopied = [];
    private readonly bool[] _pieceInUse = new bool[Pieces];
    private readonly Dictionary<string, SafeFileHandle> _files = [];
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly SemaphoreSlim _ready = new(0);
    private readonly CopyRequest[] _requests;
    private readonly NativeThread _thread;
    private void* _whole;
    private long _wholeBytes;
    private long _requested;
    private long _taken;
    private long _awaited;
    private int _piece;
    private Exception? _failure;

    /// <summary>Opens the files and starts the thread.</summary>
    /// <param name="card">The card's streams; copies are queued on its copy stream.</param>
    /// <param name="files">The package's files.</param>
    /// <param name="streamed">The stages in the order in which they run.</param>
    /// <param name="copied">For each stage, the event that marks the end of its copy; borrowed.</param>
    public StagedCopier(
        CardResources card, WeightFiles files, IReadOnlyList<StageMemory> streamed, IReadOnlyList<CudaEvent> copied)
    {
        _card = card.Card;
        _copies = card.Copies;
        _streamed = streamed;
        _copied = copied;
        _requests = new CopyRequest[streamed.Count + 1];
        _ring = new PinnedBuffer((long)PieceBytes * Pieces);
        try
        {
            _pieceCopied = CudaEvent.Create(Pieces);
            IEnumerable<StageMemory> inFiles = streamed.Where(stage => stage.Host is null);
            foreach (string file in inFiles.Select(stage => stage.Range.File).Distinct()) _files[file] = files.Open(file);
            _thread = new NativeThread("MuseAtelier staging", Run);
            _thread.Start();
        }
        catch
        {
            Free();
            throw;
        }
    }

    /// <summary>The LoRAs that change the weights; null if there are none. Must be set while no copy is requested.</summary>
    public AppliedLoras? Loras { get; set; }

    /// <summary>
    /// Requests a stage's copy into the streaming buffer; the copy waits for <paramref name="mayBegin"/>. A stage may have only one request
    /// at a time, because the ring of requests has room for one of each.
    /// </summary>
    public void Request(int stage, bool isThere, CudaEvent mayBegin)
    {
        lock (_gate) _requests[_requested++ % _requests.Length] = new CopyRequest(stage, isThere, mayBegin);
        _work.Release();
    }

    /// <summary>
    /// Waits until the oldest request that was not awaited yet is queued on the copy stream; throws where its copy failed.
    /// </summary>
    public void AwaitCopy()
    {
        if (Await() is { } failure) throw failure;
    }

    /// <summary>Waits until all requests are queued on the copy stream.</summary>
    /// <returns>Whether all succeeded. If not, the failed copy is missing, and those after it may be.</returns>
    public bool Drain()
    {
        bool allCame = true;
        while (_awaited < _requested) allCame &= Await() is null;
        return allCame;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate) _requests[_requested++ % _requests.Length] = new CopyRequest(-1, true, null);
        _work.Release();
        _thread.Join();
        _copies.Settle();
        Free();
    }

    private void Free()
    {
        foreach (CudaEvent copied in _pieceCopied) copied.Dispose();
        foreach (SafeFileHandle file in _files.Values) file.Dispose();
        _ring.Dispose();
        NativeMemory.AlignedFree(_whole);
        _whole = null;
        _work.Dispose();
        _ready.Dispose();
    }

    private Exception? Await()
    {
        _ready.Wait();
        _awaited++;
        return Interlocked.Exchange(ref _failure, null);
    }

    private void Run()
    {
        while (true)
        {
            _work.Wait();
            CopyRequest request;
            lock (_gate) request = _requests[_taken++ % _requests.Length];
            if (request.Stage < 0) return;
            try
            {
                if (!request.IsThere && _failure is null) Copy(request);
            }
#pragma warning disable CA1031 // Any failure on the thread is reported to the run that waits for the copy.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                _failure = exception;
            }

            _ready.Release();
        }
    }

    private void Copy(CopyRequest request)
    {
        CudaRuntime.Check(CudaRuntime.SetDevice(_card), nameof(CudaRuntime.SetDevice));
        StageMemory stage = _streamed[request.Stage];
        _copies.Wait(request.MayBegin!);
        if (stage.Host is not null) _copies.Copy(stage.Host.Address, stage.Device, stage.Bytes, CudaRuntime.HostToDevice);
        else CopyThroughRing(stage);
        _copied[request.Stage].Record(_copies);
    }

    private void CopyThroughRing(StageMemory stage)
    {
        foreach (StagePart part in stage.Parts(Loras, PieceBytes))
        {
            nint to = stage.Device + (nint)part.Offset;
            WeightRange range = part.Within(stage.Range);
            if (part.Changed is null)
            {
                int piece = TakePiece(out nint host);
                WeightFiles.Read(_files[range.File], range, host);
                Queue(piece, host, to, part.Bytes);
                continue;
            }

            // A changed weight is computed as a whole, and may be larger than a piece.
            nint whole = TakeWhole(part.Bytes);
            WeightFiles.Read(_files[range.File], range, whole);
            Loras!.Merge(part.Changed, whole);
            for (long done = 0; done < part.Bytes; done += PieceBytes)
            {
                int piece = TakePiece(out nint host);
                long bytes = Math.Min(PieceBytes, part.Bytes - done);
                Buffer.MemoryCopy((void*)(whole + (nint)done), (void*)host, bytes, bytes);
                Queue(piece, host, to + (nint)done, bytes);
            }
        }
    }

    // The next piece of the ring, once the copy from it is done.
    private int TakePiece(out nint address)
    {
        int piece = _piece;
        _piece = (_piece + 1) % Pieces;
        if (_pieceInUse[piece]) _pieceCopied[piece].Synchronize();
        address = _ring.Address + piece * PieceBytes;
        return piece;
    }

    private void Queue(int piece, nint from, nint to, long bytes)
    {
        _copies.Copy(from, to, bytes, CudaRuntime.HostToDevice);
        _pieceCopied[piece].Record(_copies);
        _pieceInUse[piece] = true;
    }

    private nint TakeWhole(long bytes)
    {
        if (_wholeBytes < bytes)
        {
            NativeMemory.AlignedFree(_whole);
            _whole = null;
            _wholeBytes = 0;
            _whole = NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
            _wholeBytes = bytes;
        }

        return (nint)_whole;
    }

    // A negative stage ends the thread.
    private readonly record struct CopyRequest(int Stage, bool IsThere, CudaEvent? MayBegin);
}

using Microsoft.Win32.SafeHandles;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Copies streamed weights where some of them stay in their file: a thread of its own reads those through a ring of pinned memory, piece by
/// piece, each piece on its way to the device while the next is read. Copies keep the order in which they are asked for.
/// </summary>
internal sealed class StagedCopier : IDisposable
{
    private const int PieceBytes = 16 << 20;
    private const int Pieces = 4;

    private readonly int _card;
    private readonly CudaStream _copies;
    private readonly IReadOnlyList<StageMemory> _streamed;
    private readonly IReadOnlyList<CudaEvent> _copied;
    private readonly PinnedBuffer _ring = new((long)PieceBytes * Pieces);
    private readonly CudaEvent[] _passed;
    private readonly bool[] _passing = new bool[Pieces];
    private readonly Dictionary<string, SafeFileHandle> _files = [];
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _work = new(0), _ready = new(0);
    private readonly CopyRequest[] _requests;
    private readonly NativeThread _thread;
    private long _requested;
    private long _taken;
    private long _awaited;
    private int _piece;
    private Exception? _failure;

    public StagedCopier(int card, CudaStream copies, IReadOnlyList<StageMemory> streamed, IReadOnlyList<CudaEvent> copied)
    {
        (_card, _copies, _streamed, _copied) = (card, copies, streamed, copied);
        _requests = new CopyRequest[streamed.Count + 1];
        _passed = [.. Enumerable.Range(0, Pieces).Select(_ => new CudaEvent())];
        try
        {
            foreach (string path in streamed.Where(stage => stage.Host is null).Select(stage => stage.From.Path).Distinct()) _files[path] = File.OpenHandle(path);
        }
        catch
        {
            Free();
            throw;
        }

        _thread = new NativeThread("MuseAtelier staging", Run);
        _thread.Start();
    }

    /// <summary>Asks for a copy into the stage's place, once <paramref name="mayBegin"/> has come. At most one for each stage is under way.</summary>
    public void Request(int stage, bool isThere, CudaEvent mayBegin)
    {
        lock (_gate) _requests[_requested++ % _requests.Length] = new CopyRequest(stage, isThere, mayBegin);
        _work.Release();
    }

    /// <summary>Waits until the oldest copy that nobody waited for yet is on its way.</summary>
    public void AwaitCopy()
    {
        if (Await() is { } failure) throw failure;
    }

    /// <summary>Waits until everything that was asked for is on its way, and forgets it.</summary>
    /// <returns>Whether all of it is; if not, what was asked for last may be missing.</returns>
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
        foreach (CudaEvent passed in _passed) passed.Dispose();
        foreach (SafeFileHandle file in _files.Values) file.Dispose();
        _ring.Dispose();
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
#pragma warning disable CA1031 // Whatever fails on the thread belongs to the run that waits for the copy.
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
        request.MayBegin!.Hold(_copies);
        if (stage.Host is not null) _copies.Copy(stage.Host.Address, stage.Device, stage.Bytes, CudaRuntime.HostToDevice);
        else Pass(stage);
        _copied[request.Stage].Record(_copies);
    }

    private void Pass(StageMemory stage)
    {
        for (long done = 0; done < stage.Bytes; done += PieceBytes)
        {
            int piece = _piece;
            _piece = (_piece + 1) % Pieces;
            if (_passing[piece]) _passed[piece].Synchronize();
            long bytes = Math.Min(PieceBytes, stage.Bytes - done);
            nint host = _ring.Address + piece * PieceBytes;
            FileRangeReader.Read(_files[stage.From.Path], new FileRange(stage.From.Path, stage.From.Offset + done, bytes), host);
            _copies.Copy(host, stage.Device + (nint)done, bytes, CudaRuntime.HostToDevice);
            _passed[piece].Record(_copies);
            _passing[piece] = true;
        }
    }

    private readonly record struct CopyRequest(int Stage, bool IsThere, CudaEvent? MayBegin);
}

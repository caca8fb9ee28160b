using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Format;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// A thread's part in loading weights: its pinned buffers, and the piece that is still being copied from each; and where LoRAs change
/// weights, memory for one whole weight. All members must be called on that thread.
/// </summary>
/// <param name="card">The card's number, as CUDA counts them.</param>
/// <param name="files">The package's files.</param>
internal sealed unsafe class WeightWorker(int card, WeightFiles files) : IDisposable
{
    private const int Buffers = 2;
    private const nuint Alignment = 256;

    private readonly WeightLoad?[] _copying = new WeightLoad?[Buffers];
    private readonly bool[] _inUse = new bool[Buffers];
    private readonly CudaEvent?[] _copied = new CudaEvent?[Buffers];
    private CudaStream? _stream;
    private PinnedBuffer? _memory;
    private void* _whole;
    private long _wholeBytes;
    private string? _fileName;
    private SafeFileHandle? _file;
    private int _next;
    private bool _bound;

    /// <summary>Loads a piece. Its load learns of the end or the failure, at the latest when this object is disposed.</summary>
    public void Take(WeightLoad.Piece piece)
    {
        try
        {
            if (!_bound) CudaRuntime.Check(CudaRuntime.SetDevice(card), nameof(CudaRuntime.SetDevice));
            _bound = true;
            piece.Load.Stopping.ThrowIfCancellationRequested();
            if (piece.Load.ToHost) FillHost(piece);
            else if (piece.Part.Changed is null) Copy(piece);
            else MergeAndCopy(piece);
        }
#pragma warning disable CA1031 // Any failure on the thread is reported by the load's task.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            // The owner of the device memory may free it when the load has failed, so that no copy into it may be under way.
            _stream?.Settle();
            piece.Load.Done(exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = 0; i < Buffers; i++) FinishCopy(i);
        for (int i = 0; i < Buffers; i++) _copied[i]?.Dispose();
        _stream?.Dispose();
        _memory?.Dispose();
        _file?.Dispose();
        NativeMemory.AlignedFree(_whole);
        _whole = null;
    }

    // The weights are merged where they lie, so that they take no memory besides.
    private void FillHost(WeightLoad.Piece piece)
    {
        if (piece.Stage.Pin() is { } host)
        {
            Read(piece.From, host.Address + (nint)piece.Part.Offset);
            foreach (WeightSpec weight in piece.Stage.ChangedIn(piece.Part, piece.Load.Loras))
                piece.Load.Loras!.Merge(weight, host.Address + (nint)(weight.Offset - piece.Stage.Range.Offset));
        }

        piece.Load.Done(null);
    }

    private void Copy(WeightLoad.Piece piece)
    {
        (int buffer, nint host) = TakeBuffer();
        Read(piece.From, host);
        Queue(buffer, host, piece.Device, piece.From.Length);
        _copying[buffer] = piece.Load;
    }

    // A changed weight is computed as a whole, and then copied through the pinned buffers, which are smaller than the largest weight.
    private void MergeAndCopy(WeightLoad.Piece piece)
    {
        long bytes = piece.Part.Bytes;
        nint whole = TakeWhole(bytes);
        Read(piece.From, whole);
        piece.Load.Loras!.Merge(piece.Part.Changed!, whole);
        for (long done = 0; done < bytes;)
        {
            (int buffer, nint host) = TakeBuffer();
            long length = Math.Min(WeightReader.PieceBytes, bytes - done);
            Buffer.MemoryCopy((void*)(whole + (nint)done), (void*)host, length, length);
            Queue(buffer, host, piece.Device + (nint)done, length);
            done += length;
            // The copies of a thread are executed in order, so that the last one's end is that of all.
            if (done == bytes) _copying[buffer] = piece.Load;
        }
    }

    private nint TakeWhole(long bytes)
    {
        if (_wholeBytes >= bytes) return (nint)_whole;
        NativeMemory.AlignedFree(_whole);
        _wholeBytes = 0;
        _whole = null;
        _whole = NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        _wholeBytes = bytes;
        return (nint)_whole;
    }

    // The next pinned buffer, once the copy from it is done.
    private (int Buffer, nint Address) TakeBuffer()
    {
        _stream ??= new CudaStream();
        _memory ??= new PinnedBuffer(WeightReader.PieceBytes * Buffers);
        int buffer = _next;
        _next = (_next + 1) % Buffers;
        FinishCopy(buffer);
        return (buffer, _memory.Address + buffer * WeightReader.PieceBytes);
    }

    private void Queue(int buffer, nint from, nint to, long bytes)
    {
        _stream!.Copy(from, to, bytes, CudaRuntime.HostToDevice);
        _inUse[buffer] = true;
        (_copied[buffer] ??= new CudaEvent()).Record(_stream);
    }

    private void Read(WeightRange range, nint to)
    {
        if (_fileName != range.File)
        {
            _file?.Dispose();
            // If the file cannot be opened, no file is open under any name.
            _fileName = null;
            _file = files.Open(range.File, FileOptions.SequentialScan);
            _fileName = range.File;
        }

        WeightFiles.Read(_file!, range, to);
    }

    private void FinishCopy(int buffer)
    {
        if (!_inUse[buffer]) return;
        WeightLoad? load = _copying[buffer];
        (_inUse[buffer], _copying[buffer]) = (false, null);
        try
        {
            _copied[buffer]!.Synchronize();
            load?.Done(null);
        }
        catch (MuseAtelierException exception)
        {
            // The failure of a copy is that of all later copies of its stream. The last copy of a weight belongs to its load.
            load?.Done(exception);
        }
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// A thread's part in loading weights: its pinned buffers, and the piece that is still being copied from each; and where LoRAs change
/// weights, device memory for their factors, or memory for one whole weight. All members must be called on that thread.
/// </summary>
/// <param name="card">The card's number, as CUDA counts them.</param>
/// <param name="usage">Counts the device memory that the thread takes.</param>
/// <param name="files">The package's files.</param>
internal sealed unsafe class WeightWorker(int card, DeviceUsage usage, WeightFiles files) : IDisposable
{
    private const int Buffers = 2;
    private const int FlagBytes = 64;
    private const nuint Alignment = 256;

    private readonly WeightLoad.Piece?[] _copying = new WeightLoad.Piece?[Buffers];
    private readonly bool[] _inUse = new bool[Buffers];
    private readonly CudaEvent?[] _copied = new CudaEvent?[Buffers];
    private CudaStream? _stream;
    private PinnedBuffer? _memory;
    private DeviceMerge? _merge;
    private bool _triedToMerge;
    private bool _outOfRange;
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
            else if (piece.Products is not null && OpenMerge() is { } merge) CopyAndMerge(piece, piece.Products, merge);
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
        _merge?.Dispose();
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
        _copying[buffer] = piece;
    }

    // The weight is copied as it is in the package, and the device adds the products of the factors.
    private void CopyAndMerge(WeightLoad.Piece piece, LoraProducts products, DeviceMerge merge)
    {
        long begin = Stopwatch.GetTimestamp();
        for (long done = 0; done < piece.Part.Bytes; done += WeightReader.PieceBytes)
        {
            (int buffer, nint host) = TakeBuffer();
            long length = Math.Min(WeightReader.PieceBytes, piece.Part.Bytes - done);
            Read(new WeightRange(piece.From.File, piece.From.Offset + done, length), host);
            Queue(buffer, host, piece.Device + (nint)done, length);
        }

        int most = DeviceMerge.MostRows(products);
        for (int row = 0; row < products.Rows; row += most)
        {
            (int buffer, nint host) = TakeBuffer();
            int rows = Math.Min(most, products.Rows - row);
            Queue(buffer, host, merge.Scratch, DeviceMerge.Fill(products, row, rows, host));
            merge.Launch(products, row, rows, piece.Device, Flag(buffer));
            // The piece ends when its last kernel has run, which is after all of its copies.
            _copied[buffer]!.Record(_stream!);
            if (row + rows == products.Rows) _copying[buffer] = piece;
        }

        piece.Load.Loras!.CountMerge(begin);
    }

    // Null where the card has no memory left for the factors, so that the processor merges.
    private DeviceMerge? OpenMerge()
    {
        if (_triedToMerge) return _merge;
        _triedToMerge = true;
        _stream ??= new CudaStream();
        try
        {
            _merge = new DeviceMerge(_stream, usage);
        }
        catch (DeviceMemoryException)
        {
            _merge = null;
        }

        return _merge;
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
            if (done == bytes) _copying[buffer] = piece;
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
        if (_memory is null)
        {
            _memory = new PinnedBuffer((long)WeightReader.PieceBytes * Buffers + FlagBytes * Buffers);
            for (int i = 0; i < Buffers; i++) *(int*)Flag(i) = 0;
        }

        int buffer = _next;
        _next = (_next + 1) % Buffers;
        FinishCopy(buffer);
        return (buffer, _memory.Address + buffer * WeightReader.PieceBytes);
    }

    // Where the kernels that read a buffer report that a number is out of range.
    private nint Flag(int buffer) => _memory!.Address + WeightReader.PieceBytes * Buffers + FlagBytes * buffer;

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
        WeightLoad.Piece? piece = _copying[buffer];
        (_inUse[buffer], _copying[buffer]) = (false, null);
        try
        {
            _copied[buffer]!.Synchronize();
            _outOfRange |= *(int*)Flag(buffer) != 0;
            *(int*)Flag(buffer) = 0;
            if (piece is { Products: not null } merged) RequireRange(merged);
            piece?.Load.Done(null);
        }
#pragma warning disable CA1031 // Any failure on the thread is reported by the load's task.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            // The failure of a copy is that of all later copies of its stream. The last copy of a weight belongs to its load.
            piece?.Load.Done(exception);
        }
    }

    // Where the card found a number out of range, the processor merges the weight again and throws what names the number and the LoRAs.
    private void RequireRange(WeightLoad.Piece piece)
    {
        if (!_outOfRange) return;
        _outOfRange = false;
        nint whole = TakeWhole(piece.Part.Bytes);
        Read(piece.From, whole);
        piece.Load.Loras!.Merge(piece.Part.Changed!, whole);
    }
}

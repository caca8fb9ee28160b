using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// A safetensors file that is mapped into memory. Opening it reads only the header; the system loads and drops the pages of the data on
/// demand. Several threads may read at the same time. They must finish before the file is disposed.
/// </summary>
internal sealed unsafe class SafetensorsFile : TensorFile
{
    /// <summary>The longest header that is accepted, in bytes. It is the limit of the format.</summary>
    public const long MaxHeaderBytes = 100_000_000;

    private const int PrefixBytes = 8;

    private readonly FileStream _stream;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _start;

    private SafetensorsFile(string path, FileStream stream, SafetensorsHeader header)
        : base(path, stream.Length, header.Metadata, header.Tensors)
    {
        _stream = stream;
        _mapping = MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    /// <summary>Opens a file and checks its header against its size.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="CheckpointException">The file cannot be read. Each cause has its own type.</exception>
    public static new SafetensorsFile Open(string path)
    {
        FileStream? stream = OpenStream(path);
        try
        {
            var file = new SafetensorsFile(path, stream, ReadHeader(path, stream));
            stream = null;
            return file;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointUnreadableException(path, exception);
        }
        finally
        {
            stream?.Dispose();
        }
    }

    /// <summary>
    /// A tensor's bytes, little-endian, row-major. They belong to the mapping and are invalid after the file is disposed.
    /// </summary>
    /// <param name="tensor">A tensor of this file, smaller than 2 GiB.</param>
    public ReadOnlySpan<byte> Span(SafetensorsTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Bytes > int.MaxValue)
        {
            string problem = $"'{tensor.Name}' has {tensor.Bytes} bytes: too large for one span; read it in parts.";
            throw new ArgumentException(problem, nameof(tensor));
        }

        return Slice(tensor, 0, (int)tensor.Bytes);
    }

    /// <inheritdoc/>
    public override SafeFileHandle Handle => _stream.SafeFileHandle;

    /// <inheritdoc/>
    public override void CopyTo(SafetensorsTensor tensor, long start, Span<byte> destination)
    {
        CheckPart(tensor, start, destination.Length);
        Read(_stream, tensor.Offset + start, destination);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_start is null) return;
        _start = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _mapping.Dispose();
        _stream.Dispose();
    }

    private static SafetensorsHeader ReadHeader(string path, FileStream stream)
    {
        long fileBytes = stream.Length;
        Span<byte> head = stackalloc byte[256];
        head = head[..(int)Math.Min(fileBytes, head.Length)];
        ReadExactly(stream, path, 0, head);

        ulong length = head.Length >= PrefixBytes ? BinaryPrimitives.ReadUInt64LittleEndian(head) : ulong.MaxValue;
        // Only the opening brace of the header distinguishes safetensors files: the first bytes of a pickle can be a plausible length.
        bool opens = head.Length > PrefixBytes && head[PrefixBytes] == (byte)'{';
        if (!opens) throw ForeignFormat.Recognise(path, head, fileBytes);
        if (length is < 2 or > (ulong)MaxHeaderBytes) throw new CheckpointHeaderLengthException(path, length);
        long dataStart = PrefixBytes + (long)length;
        if (dataStart > fileBytes) throw new CheckpointTruncatedException(path, fileBytes, dataStart);

        byte[] json = GC.AllocateUninitializedArray<byte>((int)length);
        ReadExactly(stream, path, PrefixBytes, json);
        return SafetensorsHeader.Parse(path, json, dataStart, fileBytes);
    }

    private ReadOnlySpan<byte> Slice(SafetensorsTensor tensor, long start, int length)
    {
        CheckPart(tensor, start, length);
        return new ReadOnlySpan<byte>(_start + tensor.Offset + start, length);
    }

    private void CheckPart(SafetensorsTensor tensor, long start, int length)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        RequirePart(tensor, start, length);
    }
}

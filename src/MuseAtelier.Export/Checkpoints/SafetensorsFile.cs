using System.Buffers;
using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// A safetensors file that is mapped into memory. Opening it reads only the header; the system loads and drops the pages of the data on
/// demand. Several threads may read at the same time. They must finish before the file is disposed.
/// </summary>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    /// <summary>The longest header that is accepted, in bytes. It is the limit of the format.</summary>
    public const long MaxHeaderBytes = 100_000_000;

    private const int PrefixBytes = 8;

    // Small enough to stay in the processor's cache while it is converted.
    private const int PartElements = 1 << 16;

    private readonly FileStream _stream;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _start;

    private SafetensorsFile(string path, FileStream stream, SafetensorsHeader header)
    {
        Path = path;
        Bytes = stream.Length;
        Metadata = header.Metadata;
        Tensors = header.Tensors;
        _stream = stream;
        _mapping = MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    /// <summary>The path as it was given.</summary>
    public string Path { get; }

    /// <summary>Size of the file in bytes.</summary>
    public long Bytes { get; }

    /// <summary>The header's <c>__metadata__</c>; empty where the header has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Every tensor by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors { get; }

    /// <summary>Opens a file and checks its header against its size.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="CheckpointException">The file cannot be read. Each cause has its own type.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw new CheckpointFolderException(path, isDiffusers: File.Exists(System.IO.Path.Combine(path, "model_index.json")));
        if (!File.Exists(path)) throw new CheckpointNotFoundException(path);
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
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

    /// <summary>
    /// Copies a part of a tensor's bytes. It reads the file and not the mapping, so that the pages do not count as memory of this process.
    /// </summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <param name="start">First byte, counted from the tensor's own start.</param>
    /// <param name="destination">Receives the bytes. Its length is the number of bytes.</param>
    public void CopyTo(SafetensorsTensor tensor, long start, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        CheckPart(tensor, start, destination.Length);
        try
        {
            ReadExactly(_stream, Path, tensor.Offset + start, destination);
        }
        catch (IOException exception)
        {
            throw new CheckpointUnreadableException(Path, exception);
        }
    }

    /// <summary>A whole tensor as fp32 numbers.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="MissingTensorsException">The file has no such tensor.</exception>
    /// <exception cref="TensorTypeException">Its element type is not supported.</exception>
    public float[] ReadFloats(string name)
    {
        if (!Tensors.TryGetValue(name, out SafetensorsTensor? tensor))
            throw new MissingTensorsException(Path, [new TensorMismatch(name, null, null)]);
        if (tensor.Elements > Array.MaxLength)
        {
            string problem = $"'{name}' has {tensor.Elements} elements: too large for one array; read it in parts.";
            throw new ArgumentException(problem, nameof(name));
        }

        float[] values = GC.AllocateUninitializedArray<float>((int)tensor.Elements);
        ReadFloats(tensor, 0, values);
        return values;
    }

    /// <summary>A part of a tensor as fp32 numbers. Like <see cref="CopyTo"/>, it reads the file and not the mapping.</summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <param name="start">First element, counted from the tensor's own start in row-major order.</param>
    /// <param name="destination">Receives the numbers. Its length is the number of elements.</param>
    /// <exception cref="TensorTypeException">The tensor's element type is not supported.</exception>
    public void ReadFloats(SafetensorsTensor tensor, long start, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        // An empty tensor may have any type because there is nothing to convert.
        if (destination.IsEmpty) return;
        int size = SizeOf(tensor);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PartElements * size);
        for (int done = 0; done < destination.Length; done += PartElements)
        {
            Span<float> target = destination[done..Math.Min(done + PartElements, destination.Length)];
            // F32 needs no conversion and is read directly into the destination.
            Span<byte> source = tensor.Type == ElementType.F32 ? MemoryMarshal.AsBytes(target) : buffer.AsSpan(0, target.Length * size);
            CopyTo(tensor, checked((start + done) * size), source);
            if (tensor.Type != ElementType.F32) Convert(tensor, source, target);
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_start is null) return;
        _start = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _mapping.Dispose();
        _stream.Dispose();
    }

    private int SizeOf(SafetensorsTensor tensor) => tensor.TypeName switch
    {
        "F64" => sizeof(double),
        Float8.E4M3Name or Float8.E5M2Name => sizeof(byte),
        _ => tensor.Type?.Size() ?? throw new TensorTypeException(Path, tensor.Name, tensor.TypeName),
    };

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

    private static void ReadExactly(FileStream stream, string path, long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(stream.SafeFileHandle, destination, offset);
            // The file has shrunk since it was opened.
            if (read == 0) throw new CheckpointTruncatedException(path, offset, offset + destination.Length);
            destination = destination[read..];
            offset += read;
        }
    }

    private ReadOnlySpan<byte> Slice(SafetensorsTensor tensor, long start, int length)
    {
        CheckPart(tensor, start, length);
        return new ReadOnlySpan<byte>(_start + tensor.Offset + start, length);
    }

    private void CheckPart(SafetensorsTensor tensor, long start, int length)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        // The tensor of another file could lie outside this file's mapping.
        if (!Tensors.TryGetValue(tensor.Name, out SafetensorsTensor? own) || !ReferenceEquals(own, tensor))
            throw new ArgumentException($"'{tensor.Name}' is not a tensor of {Path}.", nameof(tensor));
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, tensor.Bytes - length);
    }

    internal void Convert(SafetensorsTensor tensor, ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (tensor.TypeName)
        {
            case "F16": TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), target); break;
            case "BF16": WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), target); break;
            case "F64": TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, double>(source), target); break;
            case "I64": TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, long>(source), target); break;
            case "I32": TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, int>(source), target); break;
            case "U8": TensorPrimitives.ConvertTruncating(source, target); break;
            case Float8.E4M3Name or Float8.E5M2Name: Float8.Widen(tensor.TypeName, source, target); break;
            default: throw new TensorTypeException(Path, tensor.Name, tensor.TypeName);
        }
    }

    // A bfloat16 number is the upper half of the same number in binary32.
    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<float> target)
    {
        Span<uint> bits = MemoryMarshal.Cast<float, uint>(target);
        TensorPrimitives.ConvertTruncating(source, bits);
        TensorPrimitives.ShiftLeft(bits, 16, bits);
    }
}

using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// A file of named tensors: safetensors or PyTorch's own format. Opening it reads only the description of the tensors, and checks it
/// against the size of the file. Several threads may read at the same time. They must finish before the file is disposed.
/// </summary>
internal abstract class TensorFile : IDisposable
{
    // Small enough to stay in the processor's cache while it is converted.
    private const int PartElements = 1 << 16;

    private protected TensorFile(
        string path, long bytes, IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, SafetensorsTensor> tensors)
    {
        Path = path;
        Bytes = bytes;
        Metadata = metadata;
        Tensors = tensors;
    }

    /// <summary>The path as it was given.</summary>
    public string Path { get; }

    /// <summary>Size of the file in bytes.</summary>
    public long Bytes { get; }

    /// <summary>The texts that the file says of itself, such as the <c>__metadata__</c> of safetensors; empty where it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Every tensor by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors { get; }

    /// <summary>The opened file, whatever has its name by now; null where there are several.</summary>
    public virtual SafeFileHandle? Handle => null;

    /// <summary>Opens a file of either format, which is recognised by its first bytes.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="CheckpointException">The file cannot be read. Each cause has its own type.</exception>
    public static TensorFile Open(string path)
    {
        bool isTorch;
        using (FileStream stream = OpenStream(path))
        {
            Span<byte> head = stackalloc byte[TorchFile.HeadBytes];
            head = head[..(int)Math.Min(stream.Length, head.Length)];
            ReadExactly(stream, path, 0, head);
            isTorch = TorchFile.IsTorch(head);
        }

        return isTorch ? TorchFile.Open(path) : SafetensorsFile.Open(path);
    }

    /// <summary>
    /// Copies a part of a tensor's bytes. It reads the file and not a mapping, so that the pages do not count as memory of this process.
    /// </summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <param name="start">First byte, counted from the tensor's own start.</param>
    /// <param name="destination">Receives the bytes. Its length is the number of bytes.</param>
    public abstract void CopyTo(SafetensorsTensor tensor, long start, Span<byte> destination);

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

    /// <summary>A part of a tensor as fp32 numbers. Like <see cref="CopyTo"/>, it reads the file and not a mapping.</summary>
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
    public abstract void Dispose();

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="CheckpointException">There is no such file, or it cannot be read.</exception>
    private protected static FileStream OpenStream(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw new CheckpointFolderException(path, isDiffusers: File.Exists(System.IO.Path.Combine(path, "model_index.json")));
        if (!File.Exists(path)) throw new CheckpointNotFoundException(path);
        try
        {
            // A pipe has no size either, and opening it would wait for its other end.
            if (FinalPath.FileOf(path).Length == 0) throw ForeignFormat.Recognise(path, [], 0);
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointUnreadableException(path, exception);
        }
    }

    /// <summary>Reads bytes at an offset.</summary>
    /// <exception cref="CheckpointTruncatedException">The file ends before.</exception>
    private protected static void ReadExactly(FileStream stream, string path, long offset, Span<byte> destination)
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

    /// <summary>Reads bytes of the data at an offset.</summary>
    private protected void Read(FileStream stream, long offset, Span<byte> destination)
    {
        try
        {
            ReadExactly(stream, Path, offset, destination);
        }
        catch (IOException exception)
        {
            throw new CheckpointUnreadableException(Path, exception);
        }
    }

    /// <summary>Checks that a tensor is of this file and that a part lies within it.</summary>
    private protected void RequirePart(SafetensorsTensor tensor, long start, int length)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        // The tensor of another file could lie outside this file.
        if (!Tensors.TryGetValue(tensor.Name, out SafetensorsTensor? own) || !ReferenceEquals(own, tensor))
            throw new ArgumentException($"'{tensor.Name}' is not a tensor of {Path}.", nameof(tensor));
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, tensor.Bytes - length);
    }

    private int SizeOf(SafetensorsTensor tensor) =>
        FloatDecoding.SizeOf(tensor.TypeName) ?? throw new TensorTypeException(Path, tensor.Name, tensor.TypeName);

    private void Convert(SafetensorsTensor tensor, ReadOnlySpan<byte> source, Span<float> target)
    {
        if (!FloatDecoding.TryDecode(tensor.TypeName, source, target))
            throw new TensorTypeException(Path, tensor.Name, tensor.TypeName);
    }
}

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// A file of PyTorch's <c>torch.save</c>: the zip archive of version 1.6 and later, or the older sequence of pickles. Only tensors are
/// read, and nothing of the file is executed: <see cref="TorchPickle"/> knows the few objects that tensors are made of, and refuses all
/// others. The names of tensors in nested dictionaries are joined by dots: <c>params_ema.conv_first.weight</c>.
/// </summary>
internal sealed class TorchFile : TensorFile
{
    /// <summary>The number of bytes by which a file is recognised.</summary>
    public const int HeadBytes = 512;

    /// <summary>The longest description of tensors that is read, in bytes. That of a whole SDXL checkpoint has less than 2 MiB.</summary>
    private const int MostPickleBytes = 16 << 20;

    private const int LargestRank = 32;

    /// <summary>
    /// The most bytes over which a tensor may be spread whose elements are not in order. SDXL's largest one has 241 MiB in fp32.
    /// </summary>
    private const long MostSpreadBytes = 256 << 20;

    private readonly FileStream _stream;
    private readonly Dictionary<string, TorchLayout> _layouts;
    private readonly Lock _gate = new();
    private (SafetensorsTensor Tensor, byte[] Bytes)? _spread;

    private TorchFile(
        string path,
        FileStream stream,
        IReadOnlyDictionary<string, SafetensorsTensor> tensors,
        Dictionary<string, TorchLayout> layouts)
        : base(path, stream.Length, new Dictionary<string, string>(), tensors)
    {
        _stream = stream;
        _layouts = layouts;
    }

    /// <summary>Whether a file begins like one of PyTorch.</summary>
    /// <param name="head">The first <see cref="HeadBytes"/> bytes of the file, or all of a shorter one.</param>
    public static bool IsTorch(ReadOnlySpan<byte> head)
    {
        // The length of a safetensors header could have the bytes of a pickle; the brace behind it tells them apart.
        bool isPickle = head.Length > 8 && head[0] == 0x80 && head[1] is >= 2 and <= 5 && head[8] != (byte)'{';
        return isPickle || TorchArchive.IsZip(head);
    }

    /// <summary>Opens a file and checks the description of every tensor against the file's size.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="CheckpointException">The file cannot be read. Each cause has its own type.</exception>
    public static new TorchFile Open(string path)
    {
        FileStream? stream = OpenStream(path);
        try
        {
            byte[] head = new byte[(int)Math.Min(stream.Length, HeadBytes)];
            ReadExactly(stream, path, 0, head);
            TorchContent content = TorchArchive.IsZip(head) ? ReadArchive(path, stream) : ReadLegacy(path, stream, head);
            var tensors = new Dictionary<string, SafetensorsTensor>(StringComparer.Ordinal);
            var layouts = new Dictionary<string, TorchLayout>(StringComparer.Ordinal);
            foreach ((string name, TorchTensor tensor) in content.Tensors) tensors[name] = Describe(path, name, tensor, content, layouts);
            var file = new TorchFile(path, stream, tensors, layouts);
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

    /// <inheritdoc/>
    public override SafeFileHandle Handle => _stream.SafeFileHandle;

    /// <inheritdoc/>
    public override void CopyTo(SafetensorsTensor tensor, long start, Span<byte> destination)
    {
        RequirePart(tensor, start, destination.Length);
        if (!_layouts.TryGetValue(tensor.Name, out TorchLayout? layout)) Read(_stream, tensor.Offset + start, destination);
        else Gather(tensor, layout, start, destination);
    }

    /// <inheritdoc/>
    public override void Dispose() => _stream.Dispose();

    private static TorchContent ReadArchive(string path, FileStream stream)
    {
        TorchArchive archive = TorchArchive.Read(path, stream);
        byte[] pickle = archive.ReadPickle(MostPickleBytes);
        var reader = new TorchPickle(path, pickle, isWhole: true);
        IReadOnlyDictionary<string, TorchTensor> tensors = TorchTensors.Of(path, reader.Load());
        return new TorchContent(tensors, archive.Storages);
    }

    private static TorchContent ReadLegacy(string path, FileStream stream, byte[] head)
    {
        TorchLegacy.RequireStart(path, head);
        int length = (int)Math.Min(stream.Length, MostPickleBytes);
        byte[] start = GC.AllocateUninitializedArray<byte>(length);
        ReadExactly(stream, path, 0, start);
        return TorchLegacy.Read(path, stream, start);
    }

    private static SafetensorsTensor Describe(
        string path, string name, TorchTensor tensor, TorchContent content, Dictionary<string, TorchLayout> layouts)
    {
        string shape = SafetensorsHeader.ShapeText(tensor.Size);
        TorchStorage storage = tensor.Storage;
        if (!content.Storages.TryGetValue(storage.Key, out TorchRange range))
            throw new TensorRangeException(path, name, $"lies in the storage '{SafetensorsHeader.Shorten(storage.Key)}', which is missing");
        UInt128 needed = (UInt128)(ulong)storage.Elements * (uint)storage.ElementBytes;
        if (needed > (ulong)range.Bytes)
            throw new TensorRangeException(path, name, Invariant($"lies in a storage of {storage.Elements} elements that ends before"));
        if (tensor.Size.Count > LargestRank)
            throw new TensorShapeException(path, name, $"has {tensor.Size.Count} dimensions", Invariant($"at most {LargestRank}"));
        (UInt128 elements, UInt128 end) = Extent(tensor);
        // A tensor may repeat elements of its storage by strides of zero, but no file has a reason to make more of them than it holds.
        if (elements > (ulong)storage.Elements || end > (ulong)storage.Elements)
        {
            string found = Invariant($"has shape {shape} from element {tensor.Offset} of a storage of {storage.Elements}");
            throw new TensorShapeException(path, name, found, "elements within the storage");
        }

        long count = (long)elements, bytes = count * storage.ElementBytes;
        bool isContiguous = IsContiguous(tensor);
        if (!isContiguous) layouts[name] = new TorchLayout(tensor.Size, tensor.Stride, (long)end - tensor.Offset);
        long offset = range.Offset + tensor.Offset * storage.ElementBytes;
        return new SafetensorsTensor(name, storage.TypeName, tensor.Size, offset, bytes, count);
    }

    // The number of elements, and one more than the index of the last one in the storage.
    private static (UInt128 Elements, UInt128 End) Extent(TorchTensor tensor)
    {
        UInt128 elements = 1, last = (ulong)tensor.Offset;
        if (tensor.Size.Contains(0)) return (0, last);
        for (int i = 0; i < tensor.Size.Count; i++)
        {
            ulong size = (ulong)tensor.Size[i];
            // Beyond 2^63 the result is refused whatever follows, and stops growing before it could overflow.
            if (elements > long.MaxValue || last > long.MaxValue) return (elements, last);
            elements *= size;
            last += (UInt128)(size - 1) * (ulong)tensor.Stride[i];
        }

        return (elements, last + 1);
    }

    private static bool IsContiguous(TorchTensor tensor)
    {
        long expected = 1;
        for (int i = tensor.Size.Count - 1; i >= 0; i--)
        {
            if (tensor.Size[i] == 1) continue;
            if (tensor.Size[i] == 0) return true;
            if (tensor.Stride[i] != expected) return false;
            expected *= tensor.Size[i];
        }

        return true;
    }

    // The bytes from the first to the last element of a tensor. Those of the last tensor are kept, because each part of it needs them all.
    private byte[] Spread(SafetensorsTensor tensor, long bytes)
    {
        if (bytes > MostSpreadBytes)
        {
            string found = Invariant($"is spread over {bytes:N0} bytes, more than {MostSpreadBytes:N0}");
            throw new TensorRangeException(Path, tensor.Name, found);
        }

        lock (_gate)
        {
            if (_spread is var (known, kept) && ReferenceEquals(known, tensor)) return kept;
            byte[] span = GC.AllocateUninitializedArray<byte>((int)bytes);
            Read(_stream, tensor.Offset, span);
            _spread = (tensor, span);
            return span;
        }
    }

    // Copies elements of a tensor that lie in the storage in another order, such as a kernel with its channels last.
    private void Gather(SafetensorsTensor tensor, TorchLayout layout, long start, Span<byte> destination)
    {
        int size = (int)(tensor.Bytes / tensor.Elements);
        if (start % size != 0 || destination.Length % size != 0)
            throw new ArgumentException($"The part of '{tensor.Name}' cuts an element.", nameof(start));
        byte[] span = Spread(tensor, layout.Elements * size);
        for (int done = 0; done < destination.Length; done += size)
        {
            int from = (int)(layout.IndexOf((start + done) / size) * size);
            span.AsSpan(from, size).CopyTo(destination[done..]);
        }
    }
}

/// <summary>The tensors of a file, and where the storages of their elements lie.</summary>
/// <param name="Tensors">The tensors by name.</param>
/// <param name="Storages">The ranges of the file by the storages' keys.</param>
internal sealed record TorchContent(
    IReadOnlyDictionary<string, TorchTensor> Tensors, IReadOnlyDictionary<string, TorchRange> Storages);

/// <summary>A range of bytes in a file.</summary>
/// <param name="Offset">The first byte, counted from the start of the file.</param>
/// <param name="Bytes">The number of bytes.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TorchRange(long Offset, long Bytes);

/// <summary>The order in which the elements of a tensor lie in its storage, where that is not the row-major one.</summary>
/// <param name="Size">The dimensions.</param>
/// <param name="Stride">The distance of neighbours in each dimension, in elements.</param>
/// <param name="Elements">Elements of the storage from the first to the last one of the tensor.</param>
internal sealed record TorchLayout(IReadOnlyList<long> Size, IReadOnlyList<long> Stride, long Elements)
{
    /// <summary>The place of an element, counted from the tensor's first one.</summary>
    /// <param name="element">Its index in row-major order.</param>
    public long IndexOf(long element)
    {
        long index = 0;
        for (int i = Size.Count - 1; i >= 0; i--)
        {
            (element, long position) = Math.DivRem(element, Size[i]);
            index += position * Stride[i];
        }

        return index;
    }
}

using System.Buffers.Binary;
using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// The format of <c>torch.save</c> before version 1.6: a magic number, a protocol number, properties of the machine, the object and the
/// list of its storages, a pickle each; then every storage, as its number of elements and their bytes
/// (<c>torch/serialization.py</c>, <c>_legacy_save</c>).
/// </summary>
internal static class TorchLegacy
{
    // The pickles of the numbers 0x1950A86A20F9469CFC6C and 1001, as every protocol from 2 writes them after its own number.
    private static readonly byte[] Magic = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E];
    private static readonly byte[] Protocol = [0x4D, 0xE9, 0x03, 0x2E];

    private static int StartBytes => 2 + Magic.Length + 2 + Protocol.Length;

    /// <summary>Requires that a pickle is one of <c>torch.save</c>.</summary>
    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="head">The first bytes of the file.</param>
    /// <exception cref="PickleException">It is another pickle.</exception>
    public static void RequireStart(string path, ReadOnlySpan<byte> head)
    {
        bool isTorch = head.Length > StartBytes
            && head[2..].StartsWith(Magic)
            && head[2 + Magic.Length] == 0x80
            && head[(2 + Magic.Length + 2)..].StartsWith(Protocol);
        if (!isTorch) throw new PickleException(path, "it does not begin like a file of torch.save");
    }

    /// <summary>Reads the pickles, and finds the storages behind them.</summary>
    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="stream">The file; borrowed.</param>
    /// <param name="start">The first bytes of the file, in which all pickles must lie.</param>
    public static TorchContent Read(string path, FileStream stream, byte[] start)
    {
        var reader = new TorchPickle(path, start, isWhole: start.Length == stream.Length) { Position = StartBytes };
        bool isLittle = reader.Load() is PickledDictionary machine && machine.Find("little_endian") is true;
        if (!isLittle) throw new PickleException(path, "its numbers are not little-endian");
        IReadOnlyDictionary<string, TorchTensor> tensors = TorchTensors.Of(path, reader.Load());
        if (reader.Load() is not PickledList keys) throw new PickleException(path, "it has no list of storages");
        var ranges = new Dictionary<string, TorchRange>(StringComparer.Ordinal);
        long position = reader.Position;
        Span<byte> count = stackalloc byte[sizeof(long)];
        foreach (object? entry in keys.Items)
        {
            if (entry is not string key || !reader.Storages.TryGetValue(key, out TorchStorage? storage))
                throw new PickleException(path, "its list of storages names one that no tensor has");
            if (position > stream.Length - count.Length || RandomAccess.Read(stream.SafeFileHandle, count, position) != count.Length)
                throw new CheckpointTruncatedException(path, stream.Length, position + count.Length);
            long elements = BinaryPrimitives.ReadInt64LittleEndian(count);
            if (elements != storage.Elements)
                throw new PickleException(path, Invariant($"a storage has {elements} elements instead of {storage.Elements}"));
            position += count.Length;
            long bytes = elements * storage.ElementBytes;
            if (bytes > stream.Length - position) throw new CheckpointTruncatedException(path, stream.Length, position + bytes);
            if (!ranges.TryAdd(key, new TorchRange(position, bytes))) throw new PickleException(path, "it lists a storage twice");
            position += bytes;
        }

        return new TorchContent(tensors, ranges);
    }
}

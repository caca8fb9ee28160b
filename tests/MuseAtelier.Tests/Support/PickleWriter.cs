using System.Buffers.Binary;
using System.Text;

namespace MuseAtelier.Tests.Support;

/// <summary>Writes a pickle, instruction by instruction, in protocol 2.</summary>
internal sealed class PickleWriter
{
    private readonly List<byte> _bytes = [];

    public PickleWriter() => Raw(0x80, 2);

    /// <summary>The pickle so far, with its last instruction.</summary>
    public byte[] End()
    {
        Raw((byte)'.');
        return [.. _bytes];
    }

    public PickleWriter Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleWriter Mark() => Raw((byte)'(');

    public PickleWriter Tuple() => Raw((byte)'t');

    public PickleWriter EmptyTuple() => Raw((byte)')');

    public PickleWriter Dictionary() => Raw((byte)'}');

    public PickleWriter SetItems() => Raw((byte)'u');

    public PickleWriter Call() => Raw((byte)'R');

    public PickleWriter Global(string module, string name) => Raw(Encoding.UTF8.GetBytes($"c{module}\n{name}\n"));

    public PickleWriter Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Raw((byte)'X').Four(bytes.Length).Raw(bytes);
    }

    public PickleWriter Number(long value)
    {
        if (value is >= int.MinValue and <= int.MaxValue) return Raw((byte)'J').Four((int)value);
        byte[] bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(0x8A, sizeof(long)).Raw(bytes);
    }

    public PickleWriter Numbers(params ReadOnlySpan<long> values)
    {
        Mark();
        foreach (long value in values) Number(value);
        return Tuple();
    }

    public PickleWriter OrderedDictionary() => Global("collections", "OrderedDict").EmptyTuple().Call();

    public PickleWriter Store(byte index) => Raw((byte)'q', index);

    public PickleWriter Recall(byte index) => Raw((byte)'h', index);

    /// <summary>A tensor of a storage.</summary>
    public PickleWriter Tensor(string storageType, string key, long elements, long offset, long[] size, long[] stride)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Mark();
        Mark().Text("storage").Global("torch", storageType).Text(key).Text("cpu").Number(elements).Tuple().Raw((byte)'Q');
        return Number(offset).Numbers(size).Numbers(stride).Raw(0x89).OrderedDictionary().Tuple().Call();
    }

    private PickleWriter Four(int value)
    {
        byte[] bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return Raw(bytes);
    }
}

using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>The names that a pickle may refer to.</summary>
internal enum PickledName
{
    /// <summary><c>collections.OrderedDict</c>.</summary>
    OrderedDictionary,

    /// <summary><c>torch._utils._rebuild_tensor_v2</c>.</summary>
    RebuildTensor2,

    /// <summary><c>torch._utils._rebuild_tensor</c>, of the first versions of PyTorch.</summary>
    RebuildTensor,

    /// <summary><c>torch._utils._rebuild_parameter</c>, which marks a tensor as trained.</summary>
    RebuildParameter,

    /// <summary><c>torch.Size</c>.</summary>
    Size,

    /// <summary>A type of storage, such as <c>torch.FloatStorage</c>.</summary>
    Storage,
}

/// <summary>A name of Python that a pickle refers to.</summary>
/// <param name="Name">Its meaning.</param>
/// <param name="TypeName">The element type of a storage, as safetensors names it; else empty.</param>
/// <param name="ElementBytes">Bytes of an element of a storage; else 0.</param>
internal sealed record PickledGlobal(PickledName Name, string TypeName = "", int ElementBytes = 0)
{
    private static readonly Dictionary<string, PickledGlobal> Known = new(StringComparer.Ordinal)
    {
        ["collections.OrderedDict"] = new(PickledName.OrderedDictionary),
        ["torch._utils._rebuild_tensor_v2"] = new(PickledName.RebuildTensor2),
        ["torch._utils._rebuild_tensor"] = new(PickledName.RebuildTensor),
        ["torch._utils._rebuild_parameter"] = new(PickledName.RebuildParameter),
        ["torch.Size"] = new(PickledName.Size),
        ["torch.DoubleStorage"] = new(PickledName.Storage, "F64", 8),
        ["torch.FloatStorage"] = new(PickledName.Storage, "F32", 4),
        ["torch.HalfStorage"] = new(PickledName.Storage, "F16", 2),
        ["torch.BFloat16Storage"] = new(PickledName.Storage, "BF16", 2),
        ["torch.LongStorage"] = new(PickledName.Storage, "I64", 8),
        ["torch.IntStorage"] = new(PickledName.Storage, "I32", 4),
        ["torch.ShortStorage"] = new(PickledName.Storage, "I16", 2),
        ["torch.CharStorage"] = new(PickledName.Storage, "I8", 1),
        ["torch.ByteStorage"] = new(PickledName.Storage, "U8", 1),
        ["torch.BoolStorage"] = new(PickledName.Storage, "BOOL", 1),
    };

    /// <summary>The name's meaning; null for a name that is not on the list.</summary>
    /// <param name="name">Module and name, joined by a dot.</param>
    public static PickledGlobal? Find(string name) => Known.GetValueOrDefault(name);
}

/// <summary>A dictionary of a pickle: its entries in their order.</summary>
/// <param name="isOrdered">Whether it is an OrderedDict, which may carry attributes.</param>
internal sealed class PickledDictionary(bool isOrdered)
{
    /// <summary>The entries. A key that was set twice stands there twice.</summary>
    public List<(object? Key, object? Value)> Entries { get; } = [];

    /// <summary>Whether it is an OrderedDict, which may carry attributes.</summary>
    public bool IsOrdered { get; } = isOrdered;

    /// <summary>The value of a key; null if it is missing.</summary>
    public object? Find(string key) => Entries.FindLast(entry => entry.Key is string name && name == key).Value;
}

/// <summary>A list of a pickle.</summary>
internal sealed class PickledList
{
    /// <summary>Its items.</summary>
    public List<object?> Items { get; } = [];
}

/// <summary>A tuple of a pickle.</summary>
/// <param name="Items">Its items.</param>
internal sealed record PickledTuple(object?[] Items);

/// <summary>The elements that one or more tensors share.</summary>
/// <param name="Key">Its key in the file.</param>
/// <param name="TypeName">The element type, as safetensors names it.</param>
/// <param name="ElementBytes">Bytes of an element.</param>
/// <param name="Elements">The number of elements.</param>
internal sealed record TorchStorage(string Key, string TypeName, int ElementBytes, long Elements);

/// <summary>A tensor of a pickle.</summary>
/// <param name="Storage">The storage that holds its elements.</param>
/// <param name="Offset">The first element in the storage.</param>
/// <param name="Size">The dimensions.</param>
/// <param name="Stride">The distance of neighbours in each dimension, in elements.</param>
internal sealed record TorchTensor(TorchStorage Storage, long Offset, IReadOnlyList<long> Size, IReadOnlyList<long> Stride);

/// <summary>Names the tensors of a pickled object by the keys of the dictionaries that hold them.</summary>
internal static class TorchTensors
{
    /// <summary>The name of a tensor that is the whole object.</summary>
    public const string Alone = "tensor";

    private const int DeepestNesting = 16;
    private const int MostObjects = 1 << 17;
    private const int LongestName = 512;

    /// <summary>The tensors by name. Everything that is neither a tensor nor a dictionary is skipped.</summary>
    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="root">The object.</param>
    /// <exception cref="PickleException">The object is nested too deeply, holds itself, or holds too much.</exception>
    /// <exception cref="DuplicateTensorException">Two tensors have the same name.</exception>
    public static IReadOnlyDictionary<string, TorchTensor> Of(string path, object? root)
    {
        var tensors = new Dictionary<string, TorchTensor>(StringComparer.Ordinal);
        int objects = 0;
        if (root is TorchTensor alone) tensors[Alone] = alone;
        else if (root is PickledDictionary dictionary) Add(dictionary, "", 1);
        return tensors;

        void Add(PickledDictionary dictionary, string prefix, int depth)
        {
            if (depth > DeepestNesting)
                throw new PickleException(path, Invariant($"its dictionaries are nested more than {DeepestNesting} deep"));
            foreach ((object? key, object? value) in dictionary.Entries)
            {
                // A dictionary may be reached by many ways, each of which gives its tensors another name.
                if (++objects > MostObjects) throw new PickleException(path, Invariant($"it holds more than {MostObjects:N0} objects"));
                if (value is not (TorchTensor or PickledDictionary)) continue;
                string name = prefix + NameOf(key);
                if (name.Length > LongestName)
                    throw new PickleException(path, Invariant($"a tensor's name has more than {LongestName} letters"));
                if (value is PickledDictionary inner) Add(inner, name + ".", depth + 1);
                else if (tensors.Count == SafetensorsHeader.MostTensors)
                    throw new PickleException(path, Invariant($"it holds more than {SafetensorsHeader.MostTensors} tensors"));
                else if (!tensors.TryAdd(name, (TorchTensor)value!)) throw new DuplicateTensorException(path, name);
            }
        }

        string NameOf(object? key) => key switch
        {
            string text => text,
            long number => Invariant($"{number}"),
            _ => throw new PickleException(path, "a dictionary has a key that is neither a text nor a number"),
        };
    }
}

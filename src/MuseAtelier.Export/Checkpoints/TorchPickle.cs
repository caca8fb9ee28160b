using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Reads the pickles of <c>torch.save</c>. A pickle is a program for a stack machine that may import and call anything; this machine has
/// only the instructions that build numbers, texts, tuples, lists and dictionaries, and knows the few names of
/// <see cref="PickledGlobal"/>. It refuses all others by name, and runs nothing. The instructions are those of CPython's
/// <c>Lib/pickletools.py</c>.
/// </summary>
internal sealed class TorchPickle
{
    private const int MostSteps = 1 << 22;
    private const int MostStack = 1 << 16;
    private const int LongestLine = 256;
    private const int LongestText = 1 << 16;

    private readonly string _path;
    private readonly byte[] _bytes;
    private readonly bool _isWhole;
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<long, object?> _memo = [];
    private readonly Dictionary<string, TorchStorage> _storages = new(StringComparer.Ordinal);
    private int _steps;

    /// <summary>Prepares to read pickles.</summary>
    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="bytes">The pickles, one after the other.</param>
    /// <param name="isWhole">Whether the file ends where the bytes do.</param>
    public TorchPickle(string path, byte[] bytes, bool isWhole)
    {
        _path = path;
        _bytes = bytes;
        _isWhole = isWhole;
    }

    /// <summary>The first byte that is not read yet.</summary>
    public int Position { get; set; }

    /// <summary>Every storage that the pickles refer to, by its key.</summary>
    public IReadOnlyDictionary<string, TorchStorage> Storages => _storages;

    /// <summary>Reads the next pickle.</summary>
    /// <exception cref="ForbiddenPickleException">It asks for something that is not on the list.</exception>
    /// <exception cref="PickleException">It is damaged.</exception>
    public object? Load()
    {
        _stack.Clear();
        _marks.Clear();
        _memo.Clear();
        while (true)
        {
            if (++_steps > MostSteps) throw Damaged(Invariant($"it has more than {MostSteps:N0} instructions"));
            byte code = Take(1)[0];
            if (code == (byte)'.') break;
            if (!TryConstant(code) && !TryNumber(code) && !TryText(code) && !TryMemo(code) && !TryCollection(code) && !TryCall(code))
                throw new ForbiddenPickleException(_path, NameOf(code));
        }

        object? result = Pop();
        if (_stack.Count > 0 || _marks.Count > 0) throw Damaged("it ends with objects left over");
        return result;
    }

    private bool TryConstant(byte code)
    {
        switch (code)
        {
            case 0x80: // PROTO
                if (Take(1)[0] is var protocol and (< 2 or > 5)) throw Damaged(Invariant($"it has protocol {protocol}"));
                return true;
            case 0x95: // FRAME
                Take(8);
                return true;
            case (byte)'N':
                Push(null);
                return true;
            case 0x88: // NEWTRUE
                Push(true);
                return true;
            case 0x89: // NEWFALSE
                Push(false);
                return true;
            case (byte)'(': // MARK
                if (_marks.Count == MostStack) throw Damaged("its lists are nested too deeply");
                _marks.Add(_stack.Count);
                return true;
            default:
                return false;
        }
    }

    private bool TryNumber(byte code)
    {
        switch (code)
        {
            case (byte)'J': // BININT
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                return true;
            case (byte)'K': // BININT1
                Push((long)Take(1)[0]);
                return true;
            case (byte)'M': // BININT2
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                return true;
            case 0x8A: // LONG1
                Push(LongOf(Take(Take(1)[0])));
                return true;
            case (byte)'G': // BINFLOAT
                Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                return true;
            default:
                return false;
        }
    }

    private bool TryText(byte code)
    {
        switch (code)
        {
            case (byte)'X': // BINUNICODE
            case (byte)'T': // BINSTRING
                Push(TextOf(Take(Length(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))))));
                return true;
            case 0x8C: // SHORT_BINUNICODE
            case (byte)'U': // SHORT_BINSTRING
                Push(TextOf(Take(Take(1)[0])));
                return true;
            default:
                return false;
        }
    }

    private bool TryMemo(byte code)
    {
        switch (code)
        {
            case (byte)'q': // BINPUT
                _memo[Take(1)[0]] = Peek();
                return true;
            case (byte)'r': // LONG_BINPUT
                _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek();
                return true;
            case 0x94: // MEMOIZE
                _memo[_memo.Count] = Peek();
                return true;
            case (byte)'h': // BINGET
                Push(Recall(Take(1)[0]));
                return true;
            case (byte)'j': // LONG_BINGET
                Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                return true;
            default:
                return false;
        }
    }

    private bool TryCollection(byte code)
    {
        switch (code)
        {
            case (byte)')': // EMPTY_TUPLE
                Push(new PickledTuple([]));
                return true;
            case (byte)'t': // TUPLE
                Push(new PickledTuple(PopToMark()));
                return true;
            case 0x85 or 0x86 or 0x87: // TUPLE1, TUPLE2, TUPLE3
                Push(new PickledTuple(Pop(code - 0x84)));
                return true;
            case (byte)']': // EMPTY_LIST
                Push(new PickledList());
                return true;
            case (byte)'a': // APPEND
                Append(Pop(1));
                return true;
            case (byte)'e': // APPENDS
                Append(PopToMark());
                return true;
            case (byte)'}': // EMPTY_DICT
                Push(new PickledDictionary(isOrdered: false));
                return true;
            case (byte)'s': // SETITEM
                Set(Pop(2));
                return true;
            case (byte)'u': // SETITEMS
                Set(PopToMark());
                return true;
            default:
                return false;
        }
    }

    private bool TryCall(byte code)
    {
        switch (code)
        {
            case (byte)'c': // GLOBAL
                string module = Line();
                Push(Global($"{module}.{Line()}"));
                return true;
            case 0x93: // STACK_GLOBAL
                object?[] names = Pop(2);
                if (names is not [string first, string second]) throw Damaged("a name is no text");
                Push(Global($"{first}.{second}"));
                return true;
            case (byte)'Q': // BINPERSID
                Push(Storage(Pop()));
                return true;
            case (byte)'R': // REDUCE
                object?[] call = Pop(2);
                Push(Call(call[0], call[1]));
                return true;
            case (byte)'b': // BUILD
                // The attributes of a state_dict are its versions, which nothing reads.
                Pop();
                if (Peek() is not PickledDictionary { IsOrdered: true }) throw new ForbiddenPickleException(_path, NameOf(code));
                return true;
            default:
                return false;
        }
    }

    private PickledGlobal Global(string name) => PickledGlobal.Find(name) ?? throw new ForbiddenPickleException(_path, name);

    private object Call(object? function, object? arguments)
    {
        if (function is not PickledGlobal global || arguments is not PickledTuple { Items: var items })
            throw Damaged("it calls no function");
        return global.Name switch
        {
            PickledName.OrderedDictionary => Dictionary(items),
            PickledName.RebuildTensor2 when items is [TorchStorage storage, long offset, var size, var stride, ..] =>
                Tensor(storage, offset, size, stride),
            PickledName.RebuildTensor when items is [TorchStorage storage, long offset, var size, var stride] =>
                Tensor(storage, offset, size, stride),
            PickledName.RebuildParameter when items is [TorchTensor tensor, ..] => tensor,
            PickledName.Size when items is [PickledTuple size] => size,
            _ => throw Damaged($"it calls {global.Name} with other arguments"),
        };
    }

    // An OrderedDict of Python 2 is made from a list of pairs.
    private PickledDictionary Dictionary(object?[] items)
    {
        var dictionary = new PickledDictionary(isOrdered: true);
        if (items.Length == 0) return dictionary;
        if (items is not [PickledList pairs]) throw Damaged("an OrderedDict is made of something else than pairs");
        foreach (object? pair in pairs.Items)
        {
            dictionary.Entries.Add(pair switch
            {
                PickledTuple { Items: [var key, var value] } => (key, value),
                PickledList { Items: [var key, var value] } => (key, value),
                _ => throw Damaged("an OrderedDict is made of something else than pairs"),
            });
        }

        return dictionary;
    }

    private TorchTensor Tensor(TorchStorage storage, long offset, object? size, object? stride)
    {
        long[] sizes = Numbers(size), strides = Numbers(stride);
        if (offset < 0 || sizes.Length != strides.Length) throw Damaged("a tensor has an impossible shape");
        return new TorchTensor(storage, offset, sizes, strides);
    }

    private long[] Numbers(object? value)
    {
        if (value is not PickledTuple { Items: var items }) throw Damaged("a tensor's shape is no tuple");
        return Array.ConvertAll(items, item => item is long number and >= 0 ? number : throw Damaged("a tensor has an impossible shape"));
    }

    // ("storage", type, key, device, elements) and, in the older format, None for a storage that is no part of another.
    private TorchStorage Storage(object? id)
    {
        bool isStorage = id is PickledTuple { Items: ["storage", PickledGlobal { Name: PickledName.Storage }, string, string, long, ..] };
        if (!isStorage) throw Damaged("a persistent id names no storage");
        object?[] items = ((PickledTuple)id!).Items;
        var type = (PickledGlobal)items[1]!;
        if (items.Length > 6 || (items.Length == 6 && items[5] is not null)) throw Damaged("a storage is a part of another");
        var storage = new TorchStorage((string)items[2]!, type.TypeName, type.ElementBytes, (long)items[4]!);
        if (storage.Elements is < 0 or > long.MaxValue / 8) throw Damaged(Invariant($"a storage has {storage.Elements} elements"));
        if (!_storages.TryGetValue(storage.Key, out TorchStorage? known)) _storages[storage.Key] = known = storage;
        return known == storage ? known : throw Damaged("a storage has two types or sizes");
    }

    private void Append(object?[] items)
    {
        if (Peek() is not PickledList list) throw Damaged("it appends to something else than a list");
        list.Items.AddRange(items);
    }

    private void Set(object?[] items)
    {
        if (Peek() is not PickledDictionary dictionary || items.Length % 2 != 0) throw Damaged("it sets items of no dictionary");
        for (int i = 0; i < items.Length; i += 2) dictionary.Entries.Add((items[i], items[i + 1]));
    }

    private object? Recall(long index) =>
        _memo.TryGetValue(index, out object? value) ? value : throw Damaged("it recalls an object that it has not stored");

    private void Push(object? value)
    {
        if (_stack.Count == MostStack) throw Damaged(Invariant($"it stacks more than {MostStack:N0} objects"));
        _stack.Add(value);
    }

    private object? Peek()
    {
        RequireObjects(1);
        return _stack[^1];
    }

    private object? Pop() => Pop(1)[0];

    private object?[] Pop(int count)
    {
        RequireObjects(count);
        object?[] items = [.. _stack[^count..]];
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private object?[] PopToMark()
    {
        if (_marks.Count == 0) throw Damaged("it closes a list that it has not opened");
        int mark = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return Pop(_stack.Count - mark);
    }

    // Objects below the last mark belong to a list that is not closed yet.
    private void RequireObjects(int count)
    {
        int floor = _marks.Count > 0 ? _marks[^1] : 0;
        if (_stack.Count - floor < count) throw Damaged("it takes an object that is not there");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - Position)
            throw Damaged(_isWhole ? "it ends too early" : Invariant($"it has more than {_bytes.Length:N0} bytes"));
        ReadOnlySpan<byte> taken = _bytes.AsSpan(Position, count);
        Position += count;
        return taken;
    }

    private int Length(uint length) =>
        length <= LongestText ? (int)length : throw Damaged(Invariant($"a text has {length:N0} bytes"));

    private string Line()
    {
        ReadOnlySpan<byte> rest = _bytes.AsSpan(Position, Math.Min(LongestLine, _bytes.Length - Position));
        int end = rest.IndexOf((byte)'\n');
        if (end < 0) throw Damaged("a name does not end");
        string line = TextOf(rest[..end]);
        Position += end + 1;
        return line;
    }

    private static string TextOf(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private long LongOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > sizeof(long)) throw Damaged("a number has more than 64 bits");
        if (bytes.IsEmpty) return 0;
        Span<byte> whole = stackalloc byte[sizeof(long)];
        whole.Fill((bytes[^1] & 0x80) == 0 ? (byte)0 : (byte)0xFF);
        bytes.CopyTo(whole);
        return BinaryPrimitives.ReadInt64LittleEndian(whole);
    }

    private PickleException Damaged(string found) => new(_path, found);

    // The instructions that other programs' pickles have most; the rest is named by its number.
    private static string NameOf(byte code) => code switch
    {
        (byte)'i' => "the instruction INST",
        (byte)'o' => "the instruction OBJ",
        0x81 => "the instruction NEWOBJ",
        0x92 => "the instruction NEWOBJ_EX",
        (byte)'b' => "the instruction BUILD, on something else than an OrderedDict",
        (byte)'P' => "the instruction PERSID",
        0x82 or 0x83 or 0x84 => "an extension of the instruction EXT",
        (byte)'F' or (byte)'I' or (byte)'L' or (byte)'S' or (byte)'V' => "an instruction of protocol 0",
        (byte)'0' or (byte)'1' or (byte)'2' => "the instruction POP or DUP",
        (byte)'B' or (byte)'C' or 0x8E or 0x96 => "an array of bytes",
        0x8F or 0x90 or 0x91 => "a set",
        _ => string.Create(CultureInfo.InvariantCulture, $"the instruction 0x{code:X2}"),
    };
}

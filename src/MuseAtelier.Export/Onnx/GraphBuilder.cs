using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Google.Protobuf.Collections;
using MuseAtelier.Export.Onnx.Proto;
using MuseAtelier.Format;
using static System.FormattableString;
using AttributeType = MuseAtelier.Export.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace MuseAtelier.Export.Onnx;

/// <summary>
/// Builds one ONNX graph, node by node. Names are numbered in order, so that graphs of one shape are equal byte for byte.
/// </summary>
internal sealed class GraphBuilder
{
    /// <summary>The version of ONNX's file format. Version 9 belongs to opset 20.</summary>
    public const int IrVersion = 9;

    /// <summary>The version of the standard operators. Opset 20 is the first with Gelu.</summary>
    public const int Opset = 20;

    /// <summary>The domain of ONNX Runtime's own operators.</summary>
    public const string Microsoft = "com.microsoft";

    private readonly GraphProto _graph = new() { Name = "stage" };
    private readonly Dictionary<string, string> _constants = [];
    private readonly Dictionary<string, string> _dimensions = [];

    /// <summary>Adds a node with one output and returns the name of that output.</summary>
    public string Node(string type, IReadOnlyList<string> inputs, params ReadOnlySpan<AttributeProto> attributes) =>
        Node(type, "", 1, inputs, attributes)[0];

    /// <summary>Adds a node of ONNX Runtime's own domain with one output and returns the name of that output.</summary>
    public string MicrosoftNode(string type, IReadOnlyList<string> inputs, params ReadOnlySpan<AttributeProto> attributes) =>
        Node(type, Microsoft, 1, inputs, attributes)[0];

    /// <summary>Adds a node and returns the names of its outputs.</summary>
    /// <param name="type">The operator.</param>
    /// <param name="domain">The operator's domain; empty for the standard one.</param>
    /// <param name="outputs">Number of outputs.</param>
    /// <param name="inputs">Names of the input tensors; an empty name omits an optional input.</param>
    /// <param name="attributes">The attributes, in the order in which they are written.</param>
    /// <param name="unwanted">Indices of the outputs to omit; their names are empty.</param>
    public IReadOnlyList<string> Node(
        string type,
        string domain,
        int outputs,
        IReadOnlyList<string> inputs,
        ReadOnlySpan<AttributeProto> attributes,
        params ReadOnlySpan<int> unwanted)
    {
        int number = _graph.Node.Count;
        var node = new NodeProto { OpType = type, Name = Invariant($"{type}_{number}") };
        if (domain.Length > 0) node.Domain = domain;
        node.Input.AddRange(inputs);
        for (int i = 0; i < outputs; i++)
        {
            string name = outputs == 1 ? Invariant($"t{number}") : Invariant($"t{number}_{i}");
            node.Output.Add(unwanted.Contains(i) ? "" : name);
        }

        foreach (AttributeProto attribute in attributes) node.Attribute.Add(attribute);
        _graph.Node.Add(node);
        return node.Output;
    }

    public static AttributeProto Int(string name, long value) => new() { Name = name, I = value, Type = AttributeType.Int };

    public static AttributeProto Float(string name, float value) => new() { Name = name, F = value, Type = AttributeType.Float };

    public static AttributeProto Text(string name, string value) =>
        new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = AttributeType.String };

    public static AttributeProto Ints(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Ints };
        foreach (long value in values) attribute.Ints.Add(value);
        return attribute;
    }

    /// <summary>Declares an input of the graph.</summary>
    public void Input(string name, ElementType type, IReadOnlyList<Dimension> shape) => _graph.Input.Add(Info(name, type, shape));

    /// <summary>Declares a node's output as an output of the graph and gives it another name.</summary>
    public void Output(string tensor, string name, ElementType type, IReadOnlyList<Dimension> shape)
    {
        // Renaming the tensor saves an Identity node.
        foreach (NodeProto node in _graph.Node)
        {
            Rename(node.Output, tensor, name);
            Rename(node.Input, tensor, name);
        }

        _graph.Output.Add(Info(name, type, shape));
    }

    /// <summary>A constant of 64-bit integers, such as a shape.</summary>
    public string Constant(params ReadOnlySpan<long> values)
    {
        byte[] data = new byte[values.Length * sizeof(long)];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(i * sizeof(long)), values[i]);
        return Constant(ElementType.I64, [values.Length], data);
    }

    /// <summary>A constant of fp32 or fp16 numbers with one dimension.</summary>
    public string Constant(ElementType type, params ReadOnlySpan<float> values) => Constant(type, [values.Length], values);

    /// <summary>A constant of fp32 or fp16 numbers.</summary>
    public string Constant(ElementType type, ReadOnlySpan<long> shape, ReadOnlySpan<float> values)
    {
        if (type == ElementType.F32) return Constant(type, shape, MemoryMarshal.AsBytes(values));
        var halves = new Half[values.Length];
        for (int i = 0; i < values.Length; i++) halves[i] = (Half)values[i];
        return Constant(type, shape, MemoryMarshal.AsBytes<Half>(halves));
    }

    /// <summary>A constant whose data lies in another file.</summary>
    public void ExternalConstant(string name, ElementType type, IReadOnlyList<long> shape, string file, long offset, long bytes)
    {
        var tensor = new TensorProto { Name = name, DataType = DataType(type), DataLocation = TensorProto.Types.DataLocation.External };
        tensor.Dims.AddRange(shape);
        Describe("location", file);
        Describe("offset", offset.ToString(CultureInfo.InvariantCulture));
        Describe("length", bytes.ToString(CultureInfo.InvariantCulture));
        _graph.Initializer.Add(tensor);

        void Describe(string key, string value) => tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
    }

    /// <summary>ONNX's number for an element type.</summary>
    public static int DataType(ElementType type) => type switch
    {
        ElementType.F32 => 1,
        ElementType.U8 => 2,
        ElementType.I32 => 6,
        ElementType.I64 => 7,
        ElementType.F16 => 10,
        ElementType.BF16 => 16,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    /// <summary>The finished model file.</summary>
    public byte[] Serialize(string producerVersion)
    {
        var model = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "MuseAtelier",
            ProducerVersion = producerVersion,
            Graph = _graph,
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = Opset });
        IEnumerable<string> domains = _graph.Node.Select(node => node.Domain).Append(Microsoft).Distinct();
        foreach (string domain in domains.Where(domain => domain.Length > 0).Order(StringComparer.Ordinal))
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = 1 });
        return model.ToByteArray();
    }

    private static void Rename(RepeatedField<string> names, string tensor, string name)
    {
        for (int i = 0; i < names.Count; i++)
            if (names[i] == tensor) names[i] = name;
    }

    private string Constant(ElementType type, ReadOnlySpan<long> shape, ReadOnlySpan<byte> data)
    {
        string key = $"{type}:{string.Join(',', shape.ToArray())}:{Convert.ToHexString(data)}";
        if (_constants.TryGetValue(key, out string? known)) return known;
        string name = Invariant($"c{_constants.Count}");
        var tensor = new TensorProto { Name = name, DataType = DataType(type), RawData = ByteString.CopyFrom(data) };
        foreach (long size in shape) tensor.Dims.Add(size);
        _graph.Initializer.Add(tensor);
        return _constants[key] = name;
    }

    private ValueInfoProto Info(string name, ElementType type, IReadOnlyList<Dimension> shape)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = DataType(type), Shape = new TensorShapeProto() };
        foreach (Dimension dimension in shape)
        {
            var size = new TensorShapeProto.Types.Dimension();
            if (dimension.IsFixed) size.DimValue = dimension.Resolve(default);
            else size.DimParam = Symbol(dimension.Text);
            tensor.Shape.Dim.Add(size);
        }

        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }

    // Symbols are numbered: planes of different sizes get the same symbols, so that stages that differ only in size share a graph.
    private string Symbol(string dimension)
    {
        if (dimension is "rows" or "tokens" or "steps") return dimension;
        if (_dimensions.TryGetValue(dimension, out string? known)) return known;
        return _dimensions[dimension] = Invariant($"n{_dimensions.Count}");
    }
}

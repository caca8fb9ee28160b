using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using MuseAtelier.Export.Onnx.Proto;
using MuseAtelier.Packages;
using AttributeType = MuseAtelier.Export.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace MuseAtelier.Export.Onnx;

/// <summary>Writes one ONNX graph node by node. Names are made up in order, so that graphs of one shape come out equal byte for byte.</summary>
internal sealed class GraphBuilder
{
    /// <summary>The version of ONNX's file format; 9 belongs to opset 20.</summary>
    public const int IrVersion = 9;

    /// <summary>Standard operators: 20 is the first opset with Gelu.</summary>
    public const int Opset = 20;

    /// <summary>ONNX Runtime's own operators.</summary>
    public const string Microsoft = "com.microsoft";

    private readonly GraphProto _graph = new() { Name = "stage" };
    private readonly Dictionary<string, string> _constants = [];
    private readonly Dictionary<string, string> _dimensions = [];

    /// <summary>Adds a node with one output and gives that output's name.</summary>
    public string Node(string type, IReadOnlyList<string> inputs, params ReadOnlySpan<AttributeProto> attributes) => Node(type, "", 1, inputs, attributes)[0];

    /// <summary>Adds a node of ONNX Runtime's own domain with one output and gives that output's name.</summary>
    public string MicrosoftNode(string type, IReadOnlyList<string> inputs, params ReadOnlySpan<AttributeProto> attributes) => Node(type, Microsoft, 1, inputs, attributes)[0];

    /// <summary>Adds a node; an output that is not wanted is left out with <paramref name="unwanted"/>.</summary>
    public IReadOnlyList<string> Node(string type, string domain, int outputs, IReadOnlyList<string> inputs, ReadOnlySpan<AttributeProto> attributes, params ReadOnlySpan<int> unwanted)
    {
        var node = new NodeProto { OpType = type, Name = string.Create(CultureInfo.InvariantCulture, $"{type}_{_graph.Node.Count}") };
        if (domain.Length > 0) node.Domain = domain;
        node.Input.AddRange(inputs);
        for (int i = 0; i < outputs; i++)
            node.Output.Add(unwanted.Contains(i) ? "" : string.Create(CultureInfo.InvariantCulture, $"t{_graph.Node.Count}{(outputs > 1 ? $"_{i}" : "")}"));
        foreach (AttributeProto attribute in attributes) node.Attribute.Add(attribute);
        _graph.Node.Add(node);
        return node.Output;
    }

    public static AttributeProto Int(string name, long value) => new() { Name = name, I = value, Type = AttributeType.Int };

    public static AttributeProto Float(string name, float value) => new() { Name = name, F = value, Type = AttributeType.Float };

    public static AttributeProto Text(string name, string value) => new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = AttributeType.String };

    public static AttributeProto Ints(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Ints };
        foreach (long value in values) attribute.Ints.Add(value);
        return attribute;
    }

    /// <summary>Declares an input of the graph.</summary>
    public void Input(string name, ElementType type, IReadOnlyList<Dimension> shape) => _graph.Input.Add(Info(name, type, shape));

    /// <summary>Declares an output of the graph: a node's output under a name of its own.</summary>
    public void Output(string tensor, string name, ElementType type, IReadOnlyList<Dimension> shape)
    {
        // Renaming the node's output saves an Identity node.
        foreach (NodeProto node in _graph.Node)
        {
            for (int i = 0; i < node.Output.Count; i++) if (node.Output[i] == tensor) node.Output[i] = name;
            for (int i = 0; i < node.Input.Count; i++) if (node.Input[i] == tensor) node.Input[i] = name;
        }

        _graph.Output.Add(Info(name, type, shape));
    }

    /// <summary>A constant of 64-bit integers, such as a shape.</summary>
    public string Constant(params ReadOnlySpan<long> values)
    {
        byte[] data = new byte[values.Length * sizeof(long)];
        for (int i = 0; i < values.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(i * sizeof(long)), values[i]);
        return Constant(ElementType.I64, [values.Length], data);
    }

    /// <summary>A constant of numbers with one dimension.</summary>
    public string Constant(ElementType type, params ReadOnlySpan<float> values) => Constant(type, [values.Length], values);

    /// <summary>A constant of numbers.</summary>
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
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = file });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = offset.ToString(CultureInfo.InvariantCulture) });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = bytes.ToString(CultureInfo.InvariantCulture) });
        _graph.Initializer.Add(tensor);
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
        var model = new ModelProto { IrVersion = IrVersion, ProducerName = "MuseAtelier", ProducerVersion = producerVersion, Graph = _graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = Opset });
        foreach (string domain in _graph.Node.Select(node => node.Domain).Append(Microsoft).Distinct().Where(domain => domain.Length > 0).Order(StringComparer.Ordinal))
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = 1 });
        return model.ToByteArray();
    }

    private string Constant(ElementType type, ReadOnlySpan<long> shape, ReadOnlySpan<byte> data)
    {
        string key = $"{type}:{string.Join(',', shape.ToArray())}:{Convert.ToHexString(data)}";
        if (_constants.TryGetValue(key, out string? known)) return known;
        string name = string.Create(CultureInfo.InvariantCulture, $"c{_constants.Count}");
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

    // Planes of different sizes get the same symbols, so that stages that differ in nothing else share a graph.
    private string Symbol(string dimension)
    {
        if (dimension is "batch" or "steps") return dimension;
        if (!_dimensions.TryGetValue(dimension, out string? symbol)) _dimensions[dimension] = symbol = string.Create(CultureInfo.InvariantCulture, $"n{_dimensions.Count}");
        return symbol;
    }
}

using MuseAtelier.Format;

namespace MuseAtelier.Export.Networks;

/// <summary>The meaning of a value's dimensions. A lowering chooses the layout in memory.</summary>
internal enum ValueKind
{
    /// <summary>Channels over a plane of height and width.</summary>
    Image,

    /// <summary>[rows, positions, channels]. Positions are those of a text, or of a plane row by row.</summary>
    Tokens,

    /// <summary>A tensor whose dimensions are the same in every lowering.</summary>
    Plain,
}

/// <summary>A tensor that flows through a network.</summary>
internal sealed class Value
{
    private static readonly Dimension AnyRows = Dimension.Parse("rows");

    private Value(string name, ValueKind kind, ElementType? type)
    {
        Name = name;
        Kind = kind;
        Type = type;
    }

    /// <summary>The name, unique within the network.</summary>
    public string Name { get; private set; }

    /// <summary>The meaning of the dimensions.</summary>
    public ValueKind Kind { get; }

    /// <summary>The number of images or rows of tokens: <c>rows</c>, or 1 in networks that process one picture at a time.</summary>
    public Dimension Rows { get; private init; } = AnyRows;

    /// <summary>The number of channels, which are the innermost dimension of tokens and plain values.</summary>
    public int Channels { get; private init; }

    /// <summary>Rows of an image.</summary>
    public Dimension Height { get; private init; }

    /// <summary>Columns of an image.</summary>
    public Dimension Width { get; private init; }

    /// <summary>Dimensions of tokens and plain values.</summary>
    public IReadOnlyList<Dimension> Shape { get; private init; } = [];

    /// <summary>The element type where it is the same in every lowering. Null means the activation type of the lowering.</summary>
    public ElementType? Type { get; }

    public static Value Image(
        string name, int channels, Dimension height, Dimension width, ElementType? type = null, Dimension? rows = null) =>
        new(name, ValueKind.Image, type)
        {
            Rows = rows ?? AnyRows,
            Channels = channels,
            Height = height,
            Width = width,
        };

    public static Value Tokens(string name, int channels, Dimension positions, ElementType? type = null, Dimension? rows = null) =>
        new(name, ValueKind.Tokens, type)
        {
            Rows = rows ?? AnyRows,
            Channels = channels,
            Shape = [rows ?? AnyRows, positions, Dimension.Of(channels)],
        };

    public static Value Plain(string name, ElementType? type, params Dimension[] shape) =>
        new(name, ValueKind.Plain, type)
        {
            Channels = shape.Length > 0 && shape[^1].IsFixed ? (int)shape[^1].Resolve(default) : 0,
            Shape = shape,
        };

    /// <summary>
    /// Gives the value a name that means something to readers of the package. The name must be unique within the network.
    /// </summary>
    public void Rename(string name) => Name = name;

    public override string ToString() => Name;
}

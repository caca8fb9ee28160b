using MuseAtelier.Packages;

namespace MuseAtelier.Export.Networks;

/// <summary>What a value's dimensions mean; a lowering chooses the layout in memory.</summary>
internal enum ValueKind
{
    /// <summary>Channels over a plane of height and width.</summary>
    Image,

    /// <summary>[batch, positions, channels], positions row by row of a plane, or of a text.</summary>
    Tokens,

    /// <summary>A tensor whose dimensions are the same in every lowering.</summary>
    Plain,
}

/// <summary>A tensor that flows through a network.</summary>
internal sealed class Value
{
    private static readonly Dimension AnyBatch = Dimension.Parse("batch");

    private Value(string name, ValueKind kind, Dimension batch, int channels, Dimension height, Dimension width, IReadOnlyList<Dimension> shape, ElementType? type)
    {
        Name = name;
        Kind = kind;
        Batch = batch;
        Channels = channels;
        Height = height;
        Width = width;
        Shape = shape;
        Type = type;
    }

    /// <summary>A name that is its own within the network.</summary>
    public string Name { get; }

    /// <summary>What the dimensions mean.</summary>
    public ValueKind Kind { get; }

    /// <summary>How many images or rows of tokens: <c>batch</c>, or 1 in networks that take one picture at a time.</summary>
    public Dimension Batch { get; }

    /// <summary>Channels, the innermost dimension of tokens and plain values.</summary>
    public int Channels { get; }

    /// <summary>Rows of an image.</summary>
    public Dimension Height { get; }

    /// <summary>Columns of an image.</summary>
    public Dimension Width { get; }

    /// <summary>Dimensions of tokens and plain values.</summary>
    public IReadOnlyList<Dimension> Shape { get; }

    /// <summary>The element type where it is the same in every lowering; null means the lowering's activation type.</summary>
    public ElementType? Type { get; }

    public static Value Image(string name, int channels, Dimension height, Dimension width, ElementType? type = null, Dimension? batch = null) =>
        new(name, ValueKind.Image, batch ?? AnyBatch, channels, height, width, [], type);

    public static Value Tokens(string name, int channels, Dimension positions, ElementType? type = null, Dimension? batch = null) =>
        new(name, ValueKind.Tokens, batch ?? AnyBatch, channels, default, default, [batch ?? AnyBatch, positions, Dimension.Of(channels)], type);

    public static Value Plain(string name, ElementType? type, params Dimension[] shape) =>
        new(name, ValueKind.Plain, AnyBatch, shape.Length > 0 && shape[^1].IsFixed ? (int)shape[^1].Resolve(default) : 0, default, default, shape, type);

    public override string ToString() => Name;
}

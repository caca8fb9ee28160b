using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier.Format;

/// <summary>
/// One dimension of a tensor whose size may depend on the picture: a product of factors, each a number, <c>rows</c>, <c>tokens</c>,
/// <c>steps</c>, the latent's <c>height</c> or <c>width</c>, divided (rounding up) or multiplied by a power of two
/// (<c>height/4*width/4</c>, <c>height*8</c>), or the framed picture's <c>canvas_height</c> or <c>canvas_width</c>.
/// </summary>
[JsonConverter(typeof(DimensionConverter))]
internal readonly record struct Dimension
{
    private const int LongestText = 256;
    private const long LargestNumber = 1L << 40;

    private readonly string? _text;

    private Dimension(string text) => _text = text;

    /// <summary>The expression, as in the manifest.</summary>
    public string Text => _text ?? "0";

    /// <summary>Whether the dimension is the same for every picture.</summary>
    public bool IsFixed => long.TryParse(Text, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    /// <summary>A dimension of a fixed size.</summary>
    public static Dimension Of(long size) => new(size.ToString(CultureInfo.InvariantCulture));

    /// <summary>
    /// Reads an expression. Throws <see cref="FormatException"/> if it is malformed, if a number in it exceeds 2^40, or if a divisor is 0.
    /// </summary>
    public static Dimension Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > LongestText) throw new FormatException($"a dimension has {text.Length} letters: more than {LongestText}.");
        foreach (Range range in Factors(text))
        {
            bool isNumber = long.TryParse(text.AsSpan(range), NumberStyles.None, CultureInfo.InvariantCulture, out long number);
            bool isDivisor = range.Start.Value > 0 && text[range.Start.Value - 1] == '/';
            if (isNumber && (number > LargestNumber || (isDivisor && number == 0))) throw new FormatException(
                $"'{text}' is no dimension: {number} is out of range.");
        }

        var dimension = new Dimension(text);
        try
        {
            dimension.Resolve(new PictureShape(1, 1, 1, 1) { CanvasHeight = 1, CanvasWidth = 1 });
        }
        catch (OverflowException)
        {
            throw new FormatException($"'{text}' is no dimension: it is too large.");
        }

        return dimension;
    }

    /// <summary>The size for one picture's shape. Throws <see cref="OverflowException"/> if it is 2^63 or more.</summary>
    public long Resolve(PictureShape shape)
    {
        long product = 1, factor = 1;
        char operation = '*';
        foreach (Range range in Factors(Text))
        {
            ReadOnlySpan<char> token = Text.AsSpan(range);
            long value = token switch
            {
                "rows" => shape.Rows,
                "tokens" => shape.Tokens,
                "steps" => shape.Steps,
                "height" => shape.LatentHeight,
                "width" => shape.LatentWidth,
                "canvas_height" => shape.CanvasHeight,
                "canvas_width" => shape.CanvasWidth,
                _ => long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                    ? number
                    : throw new FormatException(
                        $"'{Text}' is no dimension: '{token}' is neither a number nor rows, tokens, steps, height, width, canvas_height "
                        + "or canvas_width."),
            };
            if (operation == '*') (product, factor) = (checked(product * factor), value);
            else factor = checked(factor + value - 1) / value;
            operation = range.End.Value < Text.Length ? Text[range.End.Value] : '*';
        }

        return checked(product * factor);
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static IEnumerable<Range> Factors(string text)
    {
        int start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] is not ('*' or '/')) continue;
            yield return start..i;
            start = i + 1;
        }
    }
}

/// <summary>The sizes on which the shapes of a run's tensors depend.</summary>
/// <param name="Rows">Rows of the network's tensors: one for each picture of a batch, two with guidance.</param>
/// <param name="LatentHeight">The latent's height: the picture's in px, divided by 8.</param>
/// <param name="LatentWidth">The latent's width: the picture's in px, divided by 8.</param>
/// <param name="Steps">Steps of the schedule.</param>
internal readonly record struct PictureShape(int Rows, int LatentHeight, int LatentWidth, int Steps)
{
    /// <summary>Tokens of the prompt embeddings to which the network attends.</summary>
    public int Tokens { get; init; } = TextChunk.Length;

    /// <summary>Height of the picture with its frame, in px; 0 where no tensor depends on it.</summary>
    public int CanvasHeight { get; init; }

    /// <summary>Width of the picture with its frame, in px; 0 where no tensor depends on it.</summary>
    public int CanvasWidth { get; init; }
}

internal sealed class DimensionConverter : JsonConverter<Dimension>
{
    public override Dimension Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType switch
        {
            JsonTokenType.Number => Dimension.Parse(reader.GetInt64().ToString(CultureInfo.InvariantCulture)),
            JsonTokenType.String => Dimension.Parse(reader.GetString()!),
            _ => throw new JsonException("A dimension is neither a number nor a text."),
        };

    public override void Write(Utf8JsonWriter writer, Dimension value, JsonSerializerOptions options)
    {
        if (value.IsFixed) writer.WriteNumberValue(long.Parse(value.Text, CultureInfo.InvariantCulture));
        else writer.WriteStringValue(value.Text);
    }
}

using System.Globalization;

namespace MuseAtelier;

/// <summary>
/// Reads and writes amounts of memory in the usual notations: <c>4GiB</c>, <c>3.5 GiB</c>, <c>4096MiB</c>, <c>4GB</c>, or a plain number of
/// bytes.
/// </summary>
internal static class ByteSize
{
    private static readonly (string Name, long Bytes)[] Units =
    [
        ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1),
    ];

    /// <summary>Reads an amount. Drops fractions of a byte, so that the result is never more than the text says.</summary>
    /// <param name="text">The amount. Its unit may be in upper or lower case, with or without a space before it.</param>
    /// <returns>Bytes.</returns>
    /// <exception cref="ByteSizeException">The text is no such amount, is negative or does not fit into 64 bits.</exception>
    public static long Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        ReadOnlySpan<char> number = text.AsSpan().Trim();
        long unit = 1;
        foreach ((string name, long bytes) in Units)
        {
            if (!number.EndsWith(name, StringComparison.OrdinalIgnoreCase)) continue;
            number = number[..^name.Length].TrimEnd();
            unit = bytes;
            break;
        }

        // Decimal, not double: 0.1 GiB must not lose a byte to binary rounding.
        bool isNumber = decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value);
        return isNumber && value <= long.MaxValue / unit ? (long)(value * unit) : throw new ByteSizeException(text);
    }

    /// <summary>Writes an amount in the largest binary unit that it reaches, with at most two decimals.</summary>
    /// <param name="bytes">Bytes.</param>
    public static string Format(long bytes)
    {
        foreach ((string name, long unit) in Units.AsSpan(0, 4))
            if (bytes >= unit) return string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / unit:0.##} {name}");
        return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
    }

    /// <summary>Writes an amount in MiB, rounded up, so that it is enough when a reader enters it as a budget.</summary>
    internal static string FormatUp(long bytes)
    {
        const long mebibyte = 1 << 20;
        return string.Create(CultureInfo.InvariantCulture, $"{(bytes + mebibyte - 1) / mebibyte} MiB");
    }
}

/// <summary>A text that is not an amount of memory.</summary>
public sealed class ByteSizeException : MuseAtelierException
{
    internal ByteSizeException(string text)
        : base(
            $"'{text}' is no amount of memory",
            "a number with a unit, such as 4GiB, 3.5 GiB or 4096MiB, or a plain number of bytes",
            "Write the amount like one of these.") =>
            Text = text;

    /// <summary>The text.</summary>
    public string Text { get; }
}

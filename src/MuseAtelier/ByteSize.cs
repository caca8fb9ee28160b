using System.Globalization;

namespace MuseAtelier;

/// <summary>Amounts of memory as people write them: <c>4GiB</c>, <c>3.5 GiB</c>, <c>4096MiB</c>, <c>4GB</c>, or a plain number of bytes.</summary>
public static class ByteSize
{
    private static readonly (string Name, long Bytes)[] Units =
    [
        ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1),
    ];

    /// <summary>Reads an amount; fractions of a byte are dropped, so that no more is taken than was written.</summary>
    /// <param name="text">The amount; its unit in upper or lower case, with or without a space before it.</param>
    /// <returns>Bytes.</returns>
    /// <exception cref="ByteSizeException">The text is no such amount, is negative or has no place in 64 bits.</exception>
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
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value) || value > long.MaxValue / unit)
            throw new ByteSizeException(text);
        return (long)(value * unit);
    }

    /// <summary>Writes an amount in the largest binary unit that it fills, with as many digits as a reader can use.</summary>
    /// <param name="bytes">Bytes.</param>
    public static string Format(long bytes)
    {
        foreach ((string name, long unit) in Units.AsSpan(0, 4))
            if (bytes >= unit) return string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / unit:0.##} {name}");
        return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
    }

    /// <summary>Like <see cref="Format"/>, never less than it is: for an amount that a reader will ask for.</summary>
    internal static string FormatUp(long bytes)
    {
        const long mebibyte = 1 << 20;
        return string.Create(CultureInfo.InvariantCulture, $"{(bytes + mebibyte - 1) / mebibyte} MiB");
    }
}

/// <summary>A text is no amount of memory.</summary>
public sealed class ByteSizeException(string text)
    : MuseAtelierException($"'{text}' is no amount of memory", "a number with a unit, such as 4GiB, 3.5 GiB or 4096MiB, or a plain number of bytes", "Write the amount like one of these.")
{
    /// <summary>What was written.</summary>
    public string Text { get; } = text;
}

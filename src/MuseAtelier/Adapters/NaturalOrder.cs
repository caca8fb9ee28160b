namespace MuseAtelier.Adapters;

/// <summary>Compares names without case, and the numbers in them by their value: <c>ink2</c> comes before <c>ink10</c>.</summary>
internal sealed class NaturalOrder : IComparer<string>
{
    private NaturalOrder() { }

    /// <summary>The only instance.</summary>
    public static NaturalOrder Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        ReadOnlySpan<char> one = x, other = y;
        while (!one.IsEmpty && !other.IsEmpty)
        {
            bool areNumbers = char.IsAsciiDigit(one[0]) && char.IsAsciiDigit(other[0]);
            int order = areNumbers ? CompareNumbers(ref one, ref other) : CompareLetters(ref one, ref other);
            if (order != 0) return order;
        }

        int length = one.Length.CompareTo(other.Length);
        // Names that differ in case alone have an order too, so that the result does not depend on the file system.
        return length != 0 ? length : string.CompareOrdinal(x, y);
    }

    private static int CompareLetters(ref ReadOnlySpan<char> one, ref ReadOnlySpan<char> other)
    {
        int order = char.ToLowerInvariant(one[0]).CompareTo(char.ToLowerInvariant(other[0]));
        one = one[1..];
        other = other[1..];
        return order;
    }

    private static int CompareNumbers(ref ReadOnlySpan<char> one, ref ReadOnlySpan<char> other)
    {
        ReadOnlySpan<char> first = TakeNumber(ref one), second = TakeNumber(ref other);
        int order = first.Length.CompareTo(second.Length);
        return order != 0 ? order : first.SequenceCompareTo(second);
    }

    // The digits without leading zeros, so that longer numbers are larger.
    private static ReadOnlySpan<char> TakeNumber(ref ReadOnlySpan<char> text)
    {
        int end = text.IndexOfAnyExceptInRange('0', '9');
        ReadOnlySpan<char> number = end < 0 ? text : text[..end];
        text = text[number.Length..];
        return number.TrimStart('0');
    }
}

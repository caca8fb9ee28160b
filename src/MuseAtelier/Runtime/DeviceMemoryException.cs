using System.Globalization;
using System.Text.RegularExpressions;

namespace MuseAtelier;

/// <summary>The device has not enough memory left: for what is asked, or because another program took it meanwhile.</summary>
public sealed partial class DeviceMemoryException(string found, Exception? inner = null)
    : MuseAtelierException(
        found,
        "enough free device memory",
        "Close other programs that use the device, give a smaller budget, or paint a smaller picture.",
        inner)
{
    /// <summary>Of a failure of ONNX Runtime, which tells how much it asked for in its message alone.</summary>
    /// <param name="part">What was loaded or run.</param>
    /// <param name="inner">The failure.</param>
    internal static DeviceMemoryException Of(string part, Exception inner)
    {
        Match request = Requested().Match(inner.Message);
        string asked = request.Success
            ? $", which asked for {ByteSize.Format(long.Parse(request.Groups[1].Value, CultureInfo.InvariantCulture))}"
            : "";
        return new DeviceMemoryException($"the device's memory is used up in {part}{asked}", inner);
    }

    /// <summary>Other programs hold so much of the device that no plan fits into the rest.</summary>
    /// <param name="available">Bytes that are available.</param>
    /// <param name="budget">The declared budget, in bytes.</param>
    /// <param name="inner">What the planner said.</param>
    internal static DeviceMemoryException OfOthers(long available, long budget, BudgetTooSmallException inner) => new(
        $"{ByteSize.Format(available)} of the budget of {ByteSize.Format(budget)} are available, other programs hold the rest, and "
        + $"the picture needs {ByteSize.FormatUp(inner.LeastBytes)}",
        inner);

    [GeneratedRegex(@"requested buffer of size (\d{1,18})\b", RegexOptions.CultureInvariant)]
    private static partial Regex Requested();
}

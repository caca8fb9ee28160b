using System.Globalization;
using System.Text.RegularExpressions;

namespace MuseAtelier;

/// <summary>The device has too little free memory for the request, perhaps because another program uses it.</summary>
public sealed partial class DeviceMemoryException : MuseAtelierException
{
    internal DeviceMemoryException(string found, Exception? inner = null)
        : base(
            found,
            "enough free device memory",
            "Close other programs that use the device, give a smaller budget, or paint a smaller picture.",
            inner)
    {
    }

    /// <summary>Creates the exception for a failure of ONNX Runtime, which states the requested size only in its message.</summary>
    /// <param name="part">The part of the model that was loaded or run.</param>
    /// <param name="inner">The failure.</param>
    internal static DeviceMemoryException Of(string part, Exception inner)
    {
        Match request = Requested().Match(inner.Message);
        string asked = request.Success
            ? $", which asked for {ByteSize.Format(long.Parse(request.Groups[1].Value, CultureInfo.InvariantCulture))}"
            : "";
        return new DeviceMemoryException($"the device's memory is used up in {part}{asked}", inner);
    }

    /// <summary>Creates the exception for a device on which no plan fits, because other programs hold memory.</summary>
    /// <param name="available">Bytes that are available.</param>
    /// <param name="budget">The declared budget, in bytes.</param>
    /// <param name="inner">The failure of the planner.</param>
    internal static DeviceMemoryException OfOthers(long available, long budget, BudgetTooSmallException inner) => new(
        $"{ByteSize.Format(available)} of the budget of {ByteSize.Format(budget)} are available, other programs hold the rest, and "
        + $"the picture needs {ByteSize.FormatUp(inner.LeastBytes)}",
        inner);

    [GeneratedRegex(@"requested buffer of size (\d{1,18})\b", RegexOptions.CultureInvariant)]
    private static partial Regex Requested();
}

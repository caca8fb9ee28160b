using System.Text;

namespace MuseAtelier.Storms.Requests;

/// <summary>An answer of the server.</summary>
/// <param name="Status">The status.</param>
/// <param name="Head">Status line and headers.</param>
/// <param name="Body">The body; of a stream of events its beginning.</param>
/// <param name="IsOpen">Whether the connection can be used again.</param>
internal sealed record RawAnswer(int Status, string Head, byte[] Body, bool IsOpen)
{
    /// <summary>The value of a header; null if there is none.</summary>
    public string? Header(string name) => Header(Head, name);

    /// <summary>The value of a header in a head; null if there is none.</summary>
    public static string? Header(string head, string name)
    {
        foreach (string line in head.Split("\r\n"))
            if (line.StartsWith(name, StringComparison.OrdinalIgnoreCase) && line.AsSpan(name.Length).StartsWith(":"))
                return line[(name.Length + 1)..].Trim();
        return null;
    }

    /// <summary>The status and the beginning of the body, for reports.</summary>
    public override string ToString()
    {
        string text = Encoding.UTF8.GetString(Body.AsSpan(0, Math.Min(Body.Length, 600))).ReplaceLineEndings(" ");
        return FormattableString.Invariant($"{Status} {text}");
    }
}

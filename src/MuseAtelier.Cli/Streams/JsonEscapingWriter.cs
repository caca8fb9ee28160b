using System.Text;
using static System.FormattableString;

namespace MuseAtelier.Cli.Streams;

/// <summary>
/// Writes JSON to a console whose encoding lacks some letters. It escapes every character outside ASCII; in JSON these occur only in
/// strings, where escapes are allowed.
/// </summary>
/// <param name="inner">The writer to the console; not disposed.</param>
internal sealed class JsonEscapingWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value)
    {
        if (char.IsAscii(value)) inner.Write(value);
        else inner.Write(Invariant($"\\u{(int)value:x4}"));
    }

    public override void Flush() => inner.Flush();
}

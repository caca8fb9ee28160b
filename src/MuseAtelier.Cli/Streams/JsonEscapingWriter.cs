using System.Globalization;
using System.Text;

namespace MuseAtelier.Cli.Streams;

/// <summary>Writes JSON to a console that has no encoding for every letter: all but ASCII is escaped, as JSON allows in its strings, where alone it occurs.</summary>
/// <param name="inner">Where it writes; not disposed.</param>
internal sealed class JsonEscapingWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value)
    {
        if (char.IsAscii(value)) inner.Write(value);
        else inner.Write(string.Create(CultureInfo.InvariantCulture, $"\\u{(int)value:x4}"));
    }

    public override void Flush() => inner.Flush();
}

using System.Text;
using Spectre.Console;

namespace MuseAtelier.Cli.Streams;

/// <summary>One of the process's streams in the form that Spectre.Console writes to.</summary>
/// <param name="writer">The writer to the stream.</param>
/// <param name="isTerminal">Whether the stream is a terminal.</param>
internal sealed class ProcessOutput(TextWriter writer, bool isTerminal) : IAnsiConsoleOutput
{
    private readonly AnsiConsoleOutput _buffer = new(writer);

    public TextWriter Writer => writer;

    public bool IsTerminal => isTerminal;

    public int Width => _buffer.Width;

    public int Height => _buffer.Height;

    // Does nothing, because ProcessStreams chooses the encoding when it opens the streams.
    public void SetEncoding(Encoding encoding) { }
}

using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MuseAtelier.Cli.Streams;

/// <summary>
/// A writer to one of the process's streams that never throws when the stream fails, for example on a full disk, a closed stream or a
/// terminal that is gone. The text is lost then, and <see cref="Failure"/> holds the reason. Safe for concurrent use.
/// </summary>
/// <param name="inner">The writer to the stream; not disposed.</param>
internal sealed class GuardedWriter(TextWriter inner) : TextWriter
{
    private readonly Lock _writing = new();

    /// <summary>The first failure; null if there was none.</summary>
    public Exception? Failure { get; private set; }

    public override Encoding Encoding => inner.Encoding;

    [AllowNull]
    public override string NewLine
    {
        get => inner.NewLine;
        set => inner.NewLine = value;
    }

    public override void Write(char value) => Guard(() => inner.Write(value));

    public override void Write(string? value) => Guard(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Guard(() => inner.Write(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void WriteLine() => Guard(inner.WriteLine);

    // A line and its end must be one write, because otherwise lines of two threads could mix.
    public override void WriteLine(string? value) => Write(value + inner.NewLine);

    public override void WriteLine(ReadOnlySpan<char> buffer) => WriteLine(buffer.ToString());

    public override void Flush() => Guard(inner.Flush);

    private void Guard(Action write)
    {
        lock (_writing)
        {
            try
            {
                write();
            }
            catch (Exception exception)
                when (exception is IOException or UnauthorizedAccessException or ObjectDisposedException
                    or NotSupportedException or Win32Exception)
            {
                Failure ??= exception;
            }
        }
    }
}

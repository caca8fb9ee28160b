using System.Runtime.InteropServices;

namespace MuseAtelier.Cli.Streams;

/// <summary>
/// While a live display hides the terminal's cursor, shows it when Ctrl+Z stops the process, and hides it again when the process
/// continues. The creator disposes it when the display ends.
/// </summary>
internal sealed class CursorKeeper : IDisposable
{
    /// <summary>The escape sequence that shows a terminal's cursor.</summary>
    public const string Show = "\u001b[?25h";

    /// <summary>The escape sequence that hides a terminal's cursor.</summary>
    public const string Hide = "\u001b[?25l";

    private readonly TextWriter _terminal;
    private readonly PosixSignalRegistration? _stop;
    private readonly PosixSignalRegistration? _continue;

    /// <summary>Starts to listen for the signals.</summary>
    /// <param name="terminal">A writer to the terminal.</param>
    public CursorKeeper(TextWriter terminal)
    {
        _terminal = terminal;
        if (OperatingSystem.IsWindows()) return;
        _stop = PosixSignalRegistration.Create(PosixSignal.SIGTSTP, Stop);
        _continue = PosixSignalRegistration.Create(PosixSignal.SIGCONT, Continue);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop?.Dispose();
        _continue?.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        _terminal.Write(Show);
        _terminal.Flush();
        // The process may run on for a moment after this call, so the cursor is hidden again only on the signal to continue.
        UnixStreams.Pause();
    }

    private void Continue(PosixSignalContext context)
    {
        _terminal.Write(Hide);
        _terminal.Flush();
    }
}

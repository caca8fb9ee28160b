using System.Runtime.InteropServices;

namespace MuseAtelier.Cli.Streams;

/// <summary>Shows the terminal's cursor while the process is stopped by Ctrl+Z, and hides it again afterwards; for as long as something hides it. The creator disposes it.</summary>
internal sealed class CursorKeeper : IDisposable
{
    /// <summary>What a terminal takes for showing and hiding its cursor.</summary>
    public const string Show = "\u001b[?25h", Hide = "\u001b[?25l";

    private readonly TextWriter _terminal;
    private readonly PosixSignalRegistration? _stop;

    /// <summary>Begins to look after the cursor.</summary>
    /// <param name="terminal">A writer to the terminal.</param>
    public CursorKeeper(TextWriter terminal)
    {
        _terminal = terminal;
        if (!OperatingSystem.IsWindows()) _stop = PosixSignalRegistration.Create(PosixSignal.SIGTSTP, Stop);
    }

    /// <inheritdoc/>
    public void Dispose() => _stop?.Dispose();

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        _terminal.Write(Show);
        _terminal.Flush();
        // Comes back when the process is told to go on.
        UnixStreams.Pause();
        _terminal.Write(Hide);
    }
}

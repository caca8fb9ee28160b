using System.Runtime.InteropServices;
using MuseAtelier.Cli.Streams;

namespace MuseAtelier.Cli;

/// <summary>
/// The signals that end muse: Ctrl+C, Ctrl+\ or Ctrl+Break, a request to terminate, and the end of the terminal. The first asks for an orderly end;
/// those that follow within a second say the same again; a later one takes its usual course. The creator disposes it.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly PosixSignal[] Signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];

    private readonly Terminal _terminal;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _cancellation;
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Lock _asking = new();
    private long? _asked;

    /// <summary>Begins to listen.</summary>
    /// <param name="terminal">Has its cursor shown again where a signal takes its course; its token stops as well.</param>
    /// <param name="time">What tells the time; null means the system.</param>
    public StopSignals(Terminal terminal, TimeProvider? time = null)
    {
        (_terminal, _time) = (terminal, time ?? TimeProvider.System);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(terminal.Stop);
        _registrations = [.. Signals.Select(signal => PosixSignalRegistration.Create(signal, context => context.Cancel = Take()))];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _cancellation.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
        _cancellation.Dispose();
    }

    /// <summary>A signal has come. Gives whether it is dealt with; else it takes its usual course, which ends the process.</summary>
    internal bool Take()
    {
        lock (_asking)
        {
            // Two presses of a key, or a signal to the group and one to the process, are one request.
            if (_asked is { } asked && _time.GetElapsedTime(asked) > Grace)
            {
                if (_terminal.ErrorConsole is not null) _terminal.Error.Write(CursorKeeper.Show);
                return false;
            }

            _asked ??= _time.GetTimestamp();
        }

        _cancellation.Cancel();
        return true;
    }
}

using System.Runtime.InteropServices;
using MuseAtelier.Cli.Streams;

namespace MuseAtelier.Cli;

/// <summary>
/// The signals that end muse: Ctrl+C, Ctrl+\ or Ctrl+Break, a request to terminate, and the end of the terminal. The first signal starts
/// an orderly end. Signals within the next second are ignored; a later one has its default effect. The creator disposes it.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    // Registrations that must last until the process ends. Without a reference they would be finalized.
    private static readonly List<PosixSignalRegistration> Kept = [];
    private static readonly PosixSignal[] Signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];

    private readonly Terminal _terminal;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _cancellation;
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Lock _taking = new();
    private long? _firstSignal;
    private bool _ended;

    /// <summary>Starts to listen.</summary>
    /// <param name="terminal">
    /// Its cursor is shown again before a signal ends the process; its own token cancels <see cref="Token"/> too.
    /// </param>
    /// <param name="time">The clock; null means the system's.</param>
    public StopSignals(Terminal terminal, TimeProvider? time = null)
    {
        _terminal = terminal;
        _time = time ?? TimeProvider.System;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(terminal.Stop);
        _registrations = [.. Signals.Select(signal => PosixSignalRegistration.Create(signal, context => context.Cancel = Take()))];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _cancellation.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_taking)
        {
            _ended = true;
            _cancellation.Dispose();
            if (_firstSignal is not null)
            {
                // A repeated signal must not end the process before it has returned its exit code.
                Kept.AddRange(_registrations);
                return;
            }
        }

        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
    }

    /// <summary>Handles a signal.</summary>
    /// <returns>False if the signal should have its default effect, which ends the process.</returns>
    internal bool Take()
    {
        lock (_taking)
        {
            // Signals within the grace period count as one: a key pressed twice, or a signal to the process group and to the process.
            if (_firstSignal is { } first && _time.GetElapsedTime(first) > Grace)
            {
                if (_terminal.ErrorConsole is not null) _terminal.Error.Write(CursorKeeper.Show);
                return false;
            }

            if (_ended) return true;
            _firstSignal ??= _time.GetTimestamp();
        }

        _cancellation.Cancel();
        return true;
    }
}

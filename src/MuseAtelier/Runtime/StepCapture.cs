using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier.Runtime;

/// <summary>
/// Runs a component repeatedly with the same bindings. After two plain runs, in which ONNX Runtime completes its allocations and choices of
/// algorithms, the device captures the whole sequence of stages if it can, and replays the capture from then on.
/// </summary>
internal sealed class StepCapture(ComponentRunner runner, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    private const int PlainRuns = 2;

    private int _plainRuns;
    private int _sharingArena;
    private long _epoch;
    private CapturedRun? _captured;

    /// <summary>Whether the next runs are replays of a captured one.</summary>
    public bool IsCaptured => _captured is not null;

    /// <summary>Runs the component. Allocates nothing managed, except in the run that captures.</summary>
    /// <param name="options">The picture's run options.</param>
    /// <param name="isLastRound">Whether the component is not run again soon.</param>
    /// <param name="cancellationToken">Stops between stages, and before a captured run.</param>
    public void Run(RunOptions options, bool isLastRound, CancellationToken cancellationToken)
    {
        // A captured run holds addresses in the arena. It must be discarded if another engine has used the arena since, if a session that
        // shares the arena was created later, because its constants may lie there, or if the plan no longer allows captures.
        bool isStale = _epoch != device.CaptureEpoch || _sharingArena != sessions.SharingArena || !runner.CanCapture;
        if (_captured is not null && isStale) Drop();
        if (_captured is null && _plainRuns >= PlainRuns && device.CapturesRuns && runner.CanCapture && sessions.IsSettled)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _captured = runner.Capture(options, cancellationToken);
            (_sharingArena, _epoch) = (sessions.SharingArena, device.CaptureEpoch);
        }

        if (_captured is null)
        {
            runner.Run(options, cancellationToken, isLastRound);
            _plainRuns++;
            return;
        }

        cancellationToken.ThrowIfCancellationRequested();
        runner.Replay(_captured);
    }

    /// <inheritdoc/>
    public void Dispose() => Drop();

    private void Drop()
    {
        _captured?.Dispose();
        _captured = null;
        _plainRuns = 0;
    }
}

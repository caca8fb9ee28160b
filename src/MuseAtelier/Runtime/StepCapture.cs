using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier.Runtime;

/// <summary>
/// Runs a component that is run again and again with the same bindings: after two plain runs, which settle the runtime's choices, the
/// device captures the whole row where it can, and repeats that.
/// </summary>
internal sealed class StepCapture(ComponentRunner runner, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    private const int PlainRuns = 2;

    private int _plainRuns;
    private int _sharingArena;
    private long _epoch;
    private CapturedRun? _captured;

    /// <summary>Whether runs are repetitions of a captured one.</summary>
    public bool IsCaptured => _captured is not null;

    /// <summary>Runs the component; allocates nothing managed but in the one run that captures.</summary>
    /// <param name="options">The picture's run options.</param>
    /// <param name="isLastRound">Whether the component is not run again soon.</param>
    /// <param name="cancellationToken">Stops between stages, and before a captured run.</param>
    public void Run(RunOptions options, bool isLastRound, CancellationToken cancellationToken)
    {
        // A captured run holds addresses in the arena. Another engine may have used them since, and a session that was made later may keep
        // constants there: the run is captured anew then. A plan without captures discards it.
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

using System.Diagnostics;

namespace MuseAtelier.Diagnostics;

/// <summary>
/// Follows a request from the call to its end: its activity, the time that it waits, and how it ends. It is created and disposed by the
/// caller's code; the engine's thread ends the wait.
/// </summary>
internal sealed class RequestTrace : IDisposable
{
    private readonly AtelierDiagnostics _diagnostics;
    private readonly Activity? _activity;
    private bool _hasWaited;

    /// <summary>Starts the activity, a child of the caller's current one, and makes it the current one.</summary>
    /// <param name="diagnostics">The atelier's log and metrics.</param>
    /// <param name="request">The request of the series' first picture.</param>
    /// <param name="first">Index of the first picture of the batch.</param>
    /// <param name="priority">The priority.</param>
    public RequestTrace(AtelierDiagnostics diagnostics, PictureRequest request, int first, GenerationPriority priority)
    {
        _diagnostics = diagnostics;
        _activity = AtelierActivities.StartRequest(request, first, priority);
        _activity?.SetTag(AtelierTelemetry.AtelierTag, diagnostics.Name);
        _activity?.SetTag(AtelierTelemetry.DeviceTag, diagnostics.Device);
    }

    /// <summary>The timestamp of the call.</summary>
    public long Start { get; } = Stopwatch.GetTimestamp();

    /// <summary>Ends the wait. Called by the engine's thread before it works for the request.</summary>
    public void EndWait()
    {
        _hasWaited = true;
        _diagnostics.Metrics.Waited(Stopwatch.GetElapsedTime(Start));
        AtelierActivities.ReportWait(_activity);
    }

    /// <summary>Records that the request was refused because the queue was full.</summary>
    public void Reject(QueueFullException exception)
    {
        SetError(exception);
        _diagnostics.Metrics.Rejected();
        AtelierLog.QueueFull(_diagnostics.Logger, _diagnostics.Name, exception.Capacity);
    }

    /// <summary>Records that the request was cancelled.</summary>
    public void Cancel(OperationCanceledException exception)
    {
        if (!_hasWaited) EndWait();
        SetError(exception);
        _diagnostics.Metrics.Cancelled();
        AtelierLog.RequestCancelled(_diagnostics.Logger, _diagnostics.Name, Stopwatch.GetElapsedTime(Start).TotalSeconds);
    }

    /// <summary>Records that the request failed.</summary>
    public void Fail(Exception exception)
    {
        SetError(exception);
        _diagnostics.Metrics.Failed(TypeOf(exception));
        AtelierLog.RequestFailed(_diagnostics.Logger, _diagnostics.Name, exception);
    }

    /// <summary>Ends the activity.</summary>
    public void Dispose() => _activity?.Dispose();

    private static string TypeOf(Exception exception) => exception.GetType().FullName ?? exception.GetType().Name;

    // The message stays out, because it may quote the request.
    private void SetError(Exception exception)
    {
        if (_activity is null) return;
        _activity.SetStatus(ActivityStatusCode.Error);
        _activity.SetTag(AtelierTelemetry.ErrorTypeTag, TypeOf(exception));
    }
}

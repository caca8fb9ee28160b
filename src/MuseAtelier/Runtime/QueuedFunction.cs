using System.Runtime.ExceptionServices;

namespace MuseAtelier.Runtime;

/// <summary>A request that calls a function.</summary>
/// <typeparam name="T">Type of the result.</typeparam>
/// <param name="queue">The queue.</param>
/// <param name="function">The function.</param>
/// <param name="terms">How it waits.</param>
/// <param name="cancellationToken">Cancels it while it waits.</param>
internal sealed class QueuedFunction<T>(RequestQueue queue, Func<T> function, QueueTerms terms, CancellationToken cancellationToken)
    : QueuedRequest(queue, terms)
{
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends with the function's result or failure, or cancelled.</summary>
    public Task<T> Result => _result.Task;

    /// <inheritdoc/>
    protected override void Finish()
    {
        T result;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TellingFailure is not null) ExceptionDispatchInfo.Throw(TellingFailure);
            result = function();
        }
        catch (OperationCanceledException exception)
        {
            Queue.EndService();
            CancellationToken token = cancellationToken.IsCancellationRequested ? cancellationToken : exception.CancellationToken;
            _result.SetCanceled(token.IsCancellationRequested ? token : new CancellationToken(canceled: true));
            return;
        }
#pragma warning disable CA1031 // The caller that awaits the result receives the exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Queue.EndService();
            _result.SetException(exception);
            return;
        }

        Queue.EndService();
        _result.SetResult(result);
    }

    /// <inheritdoc/>
    protected override void EndCancelled() =>
        _result.TrySetCanceled(cancellationToken.IsCancellationRequested ? cancellationToken : new CancellationToken(canceled: true));

    /// <inheritdoc/>
    protected override void Fail(Exception exception) => _result.TrySetException(exception);
}

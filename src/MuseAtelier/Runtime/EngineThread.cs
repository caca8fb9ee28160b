using System.Threading.Channels;

namespace MuseAtelier.Runtime;

/// <summary>The one thread on which an atelier runs everything native: streams, handles and plan caches of ONNX Runtime belong to a thread.</summary>
internal sealed class EngineThread : IAsyncDisposable
{
    private readonly Channel<Action> _work = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public EngineThread(string name)
    {
        // Blocking, not asynchronous: an await would hop to another thread.
        var thread = new Thread(Run) { IsBackground = true, Name = name };
        thread.Start();
    }

    /// <summary>Runs a function on the thread, after everything asked for before.</summary>
    public Task<T> RunAsync<T>(Func<T> function, CancellationToken cancellationToken)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool queued = _work.Writer.TryWrite(() =>
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                result.SetResult(function());
            }
            catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
            {
                result.SetCanceled(exception.CancellationToken.IsCancellationRequested ? exception.CancellationToken : cancellationToken);
            }
#pragma warning disable CA1031 // Whatever fails on the thread belongs to the caller who waits for it.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                result.SetException(exception);
            }
        });
        ObjectDisposedException.ThrowIf(!queued, typeof(Atelier));
        return result.Task;
    }

    /// <summary>Lets what was asked for finish, then ends the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        _work.Writer.TryComplete();
        await _ended.Task.ConfigureAwait(false);
    }

    private void Run()
    {
        while (WaitForWork())
            while (_work.Reader.TryRead(out Action? work)) work();
        _ended.SetResult();
    }

#pragma warning disable CA2012 // The one place where waiting blocks, on a thread that has nothing else to do.
    private bool WaitForWork() => _work.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult();
#pragma warning restore CA2012
}

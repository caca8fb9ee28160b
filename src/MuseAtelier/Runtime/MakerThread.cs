using System.Collections.Concurrent;

namespace MuseAtelier.Runtime;

/// <summary>
/// A thread that runs functions one after the other. ONNX Runtime keeps a set of a device's handles for each thread that creates a session,
/// so functions that create sessions ahead of their use must not move between threads of a pool. The thread starts with the first function.
/// </summary>
/// <param name="name">Name of the thread.</param>
internal sealed class MakerThread(string name) : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private NativeThread? _thread;
    private Task _last = Task.CompletedTask;

    /// <summary>Queues a function; called on one thread only.</summary>
    /// <returns>Ends with the function's result or failure.</returns>
    public Task<T> Run<T>(Func<T> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _last = result.Task;
        _work.Add(() =>
        {
            try
            {
                result.SetResult(function());
            }
#pragma warning disable CA1031 // Whatever fails belongs to the caller who waits for the result.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                result.SetException(exception);
            }
        });
        if (_thread is null)
        {
            _thread = new NativeThread(name, RunAll);
            _thread.Start();
        }

        return result.Task;
    }

    /// <summary>Waits until everything queued so far has ended, however it ended.</summary>
    public void Await() => ((IAsyncResult)_last).AsyncWaitHandle.WaitOne();

    /// <summary>Waits for the thread's end.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        _thread?.Join();
        _work.Dispose();
    }

    private void RunAll()
    {
        foreach (Action work in _work.GetConsumingEnumerable()) work();
    }
}

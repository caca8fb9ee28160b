using System.Collections.Concurrent;

namespace MuseAtelier.Runtime;

/// <summary>
/// A thread that runs functions one after the other. ONNX Runtime keeps a set of a device's handles for each thread that creates a
/// session, so functions that create sessions ahead must not run on the threads of a pool. The thread starts with the first function.
/// </summary>
/// <param name="name">Name of the thread.</param>
internal sealed class MakerThread(string name) : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private NativeThread? _thread;
    private Task _last = Task.CompletedTask;

    /// <summary>Queues a function. Must always be called on the same thread.</summary>
    /// <returns>A task that ends with the function's result or failure.</returns>
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
#pragma warning disable CA1031 // The caller that awaits the result receives the exception.
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

    /// <summary>Waits until all queued functions have ended, with or without a failure.</summary>
    public void Await() => ((IAsyncResult)_last).AsyncWaitHandle.WaitOne();

    /// <summary>Waits until the thread has ended.</summary>
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

using System.Globalization;
using MuseAtelier.Limits;

namespace MuseAtelier.Runtime;

/// <summary>
/// A background thread that calls native libraries, and that can be joined as the operating system sees its end. On Linux
/// <see cref="Thread.Join()"/> returns when the managed part has ended, and the destructors of native thread-local variables run after
/// that. The destructors of NVIDIA's libraries unload code, and crash a process that exits at the same time.
/// </summary>
internal sealed class NativeThread
{
    /// <summary>The longest wait for the system to remove an ended thread from its list. Linux does so at once.</summary>
    private static readonly TimeSpan MostAfterEnd = TimeSpan.FromSeconds(10);

    private readonly Thread _thread;
    private string? _entry;

    /// <summary>Creates a thread that does not run before <see cref="Start"/>.</summary>
    /// <param name="name">Name of the thread.</param>
    /// <param name="run">The function that it runs.</param>
    public NativeThread(string name, Action run)
    {
        _thread = new Thread(() =>
        {
            _entry = Entry();
            run();
        })
        {
            IsBackground = true,
            Name = name,
        };
    }

    /// <summary>Whether the calling code runs on this thread.</summary>
    public bool IsCurrent => _thread == Thread.CurrentThread;

    /// <summary>Whether the managed part has ended.</summary>
    public bool HasEnded => !_thread.IsAlive;

    /// <summary>Starts the thread without the caller's execution context.</summary>
    /// <exception cref="ThreadLimitException">The system refuses a further thread.</exception>
    public void Start()
    {
        try
        {
            _thread.UnsafeStart();
        }
        catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException)
        {
            throw new ThreadLimitException(0, 1, HostThreads.Bounds(), exception);
        }
    }

    /// <summary>Waits until the operating system has ended the thread.</summary>
    public void Join()
    {
        _thread.Join();
        AwaitEntry();
    }

    /// <summary>Waits until the operating system has ended the thread, or a time has passed.</summary>
    /// <returns>Whether the managed part has ended.</returns>
    public bool Join(TimeSpan patience)
    {
        if (!_thread.Join(patience)) return false;
        AwaitEntry();
        return true;
    }

    // Linux lists the threads of a process. The target of this link is PROCESS/task/THREAD.
    private static string? Entry()
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            string? target = new FileInfo("/proc/thread-self").LinkTarget;
            int last = target?.LastIndexOf('/') ?? -1;
            return last > 0 && int.TryParse(target.AsSpan(last + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int thread)
                ? string.Create(CultureInfo.InvariantCulture, $"/proc/self/task/{thread}")
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Without /proc the threads cannot be listed.
            return null;
        }
    }

    private void AwaitEntry()
    {
        if (_entry is null) return;
        long end = Environment.TickCount64 + (long)MostAfterEnd.TotalMilliseconds;
        while (Directory.Exists(_entry) && Environment.TickCount64 < end) Thread.Sleep(1);
        _entry = null;
    }
}

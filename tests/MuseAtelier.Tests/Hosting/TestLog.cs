using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MuseAtelier.Tests.Hosting;

/// <summary>Keeps the levels of the messages of the hosting package.</summary>
internal sealed class TestLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<LogLevel> _levels = new();
    private readonly TaskCompletionSource _error = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyCollection<LogLevel> Levels => _levels;

    public Task WaitForAsync(LogLevel level, TimeSpan patience)
    {
        Assert.Equal(LogLevel.Error, level);
        return _error.Task.WaitAsync(patience, TestContext.Current.CancellationToken);
    }

    public ILogger CreateLogger(string categoryName) =>
        categoryName == "MuseAtelier.Hosting" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _levels.Enqueue(logLevel);
        if (logLevel == LogLevel.Error) _error.TrySetResult();
    }

    public void Dispose()
    {
    }
}

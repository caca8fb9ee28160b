using Microsoft.Extensions.Logging;

namespace MuseAtelier.Server.Logging;

/// <summary>Writes each log message as one line: its time, its level, its category and its text.</summary>
/// <param name="lines">Receives the lines, from any thread.</param>
internal sealed class LineLogger(Action<string> lines) : ILoggerProvider
{
    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Category(lines, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private const string HostCategory = "Microsoft.Extensions.Hosting.Internal.Host";
    private const int StartFailure = 11;

    private sealed class Category(Action<string> lines, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Warning and not LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // The program reports by itself that the server could not start.
            bool isStartFailure = name == HostCategory && eventId.Id == StartFailure;
            if (!IsEnabled(logLevel) || isStartFailure) return;
            string level = logLevel == LogLevel.Warning ? "warning" : "error";
            string cause = exception is null ? "" : $" {exception.GetType().Name}: {exception.Message}";
            lines($"{DateTimeOffset.UtcNow:yyyy-MM-ddTHH:mm:ssZ} {level} {name}: {formatter(state, exception)}{cause}");
        }
    }
}

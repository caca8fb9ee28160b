using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MuseAtelier.Tests.Diagnostics;

/// <summary>Keeps what is logged.</summary>
internal sealed class Messages : ILoggerFactory
{
    private readonly ConcurrentQueue<Message> _all = new();

    public IReadOnlyList<Message> All => [.. _all];

    /// <summary>Called after each message.</summary>
    public Action? Receiving { get; init; }

    public Message[] Of(int id) => [.. _all.Where(message => message.Id.Id == id)];

    public ILogger CreateLogger(string categoryName) => new MessageLog(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose() { }

    private sealed class MessageLog(Messages messages, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            messages._all.Enqueue(new Message(category, logLevel, eventId, formatter(state, exception), exception));
            messages.Receiving?.Invoke();
        }
    }
}

/// <summary>A message of the log.</summary>
internal sealed record Message(string Category, LogLevel Level, EventId Id, string Text, Exception? Exception);

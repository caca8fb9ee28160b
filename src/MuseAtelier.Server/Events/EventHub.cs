using System.Text.Json;

namespace MuseAtelier.Server.Events;

/// <summary>Hands events to the readers of the stream.</summary>
/// <param name="limits">The limit of readers.</param>
internal sealed class EventHub(ServerLimits limits) : IEventHub
{
    private readonly Lock _gate = new();
    private volatile EventReader[] _readers = [];

    /// <summary>Whether somebody reads the stream. Without readers, nothing need be published.</summary>
    public bool HasReaders => _readers.Length > 0;

    /// <inheritdoc/>
    public void Publish(string type, string subject, object data)
    {
        EventReader[] readers = _readers;
        if (readers.Length == 0) return;
        var published = new ServerEvent(type, subject, JsonSerializer.SerializeToUtf8Bytes(data, WireJson.Options));
        foreach (EventReader reader in readers) reader.Take(published);
    }

    /// <summary>Adds a reader, which gets all events from now on. The caller disposes it.</summary>
    /// <exception cref="ServerRequestException">There are as many as may be.</exception>
    public EventReader Open()
    {
        lock (_gate)
        {
            if (_readers.Length >= limits.EventStreams)
            {
                throw Problems.Make(
                    429,
                    "too-many-streams",
                    $"{limits.EventStreams} streams of events are open; expected fewer. Close another page first.");
            }

            var reader = new EventReader(Close);
            _readers = [.. _readers, reader];
            return reader;
        }
    }

    private void Close(EventReader reader)
    {
        lock (_gate) _readers = [.. _readers.Where(other => other != reader)];
    }
}

/// <summary>An event, serialized.</summary>
/// <param name="Type">The type.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Data">The data as JSON in UTF-8, without line ends.</param>
internal sealed record ServerEvent(string Type, string Subject, ReadOnlyMemory<byte> Data);

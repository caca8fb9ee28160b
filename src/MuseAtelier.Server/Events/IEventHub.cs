namespace MuseAtelier.Server.Events;

/// <summary>
/// Sends events to every page. Publishing never waits: a reader that is slow gets the newest state of each subject and misses what lies
/// between, so memory stays bounded.
/// </summary>
internal interface IEventHub
{
    /// <summary>Publishes an event.</summary>
    /// <param name="type">The type, as docs/http-api.md lists them.</param>
    /// <param name="subject">
    /// What it is about, such as a job's id: of events with equal type and subject, a slow reader gets the last one alone.
    /// </param>
    /// <param name="data">The data; serialized once, when it is published.</param>
    void Publish(string type, string subject, object data);
}

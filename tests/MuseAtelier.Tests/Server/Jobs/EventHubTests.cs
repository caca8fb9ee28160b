using System.Text;
using MuseAtelier.Server;
using MuseAtelier.Server.Events;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>What readers of events get when they are slow.</summary>
public sealed class EventHubTests
{
    [Fact]
    public void ASlowReader_GetsTheNewestEventOfEachSubject()
    {
        var hub = new EventHub(new ServerLimits());
        using EventReader reader = hub.Open();
        Assert.True(reader.TakeBehind());
        for (int i = 0; i < 10_000; i++) hub.Publish("job", $"{i % 2}", i);
        hub.Publish("queue", "", "last");
        Assert.Equal(["job 0 9998", "job 1 9999", "queue  \"last\""], ReadAll(reader));
        Assert.False(reader.TakeBehind());
    }

    [Fact]
    public void AReader_ThatIsFarBehind_GetsTheStateAndKeepsNoMemory()
    {
        var hub = new EventHub(new ServerLimits());
        using EventReader reader = hub.Open();
        reader.TakeBehind();
        string large = new('x', 100_000);
        for (int i = 0; i < 1000; i++)
        {
            hub.Publish("picture", $"{i}", large);
            Assert.InRange(reader.WaitingBytes, 0, 5 << 20);
        }

        Assert.True(reader.TakeBehind());
        hub.Publish("picture", "new", 1);
        Assert.Equal(["picture new 1"], ReadAll(reader));
        for (int i = 0; i < 2000; i++) hub.Publish("picture", $"{i}", 1);
        Assert.True(reader.TakeBehind());
    }

    [Fact]
    public void Streams_BeyondTheLimit_AreRefused()
    {
        var hub = new EventHub(new ServerLimits { EventStreams = 1 });
        using (hub.Open())
        {
            ServerRequestException refused = Assert.Throws<ServerRequestException>(hub.Open);
            Assert.Equal((429, "too-many-streams"), (refused.Status, refused.Problem.Kind));
        }

        hub.Open().Dispose();
        Assert.False(hub.HasReaders);
    }

    private static IEnumerable<string> ReadAll(EventReader reader)
    {
        while (reader.TryRead() is { } next) yield return $"{next.Type} {next.Subject} {Encoding.UTF8.GetString(next.Data.Span)}";
    }
}

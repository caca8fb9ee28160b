using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Jobs.Journal;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>The journal as a file: what it holds, what damage it bears, and how it stays small.</summary>
public sealed class JournalTests : IDisposable
{
    private readonly MemoryGallery _gallery = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _gallery.Dispose();

    [Fact]
    public async Task Requests_OfEveryKind_ComeBackAsTheyWere()
    {
        JobRequest[] requests =
        [
            .. BoardSetup.AnyRequests(seed: 18, count: 200).Select((picture, index) => new JobRequest
            {
                Picture = picture,
                Count = 1 + (index % 3),
                Model = index % 2 == 0 ? null : "miniature",
                Verifies = index % 5 == 0 ? "a.png" : null,
                Quality = index % 7 == 0 ? 80 : null,
                Origin = "page",
            }),
        ];
        await using (var journal = JobJournal.Open(_gallery.Folder))
            await Task.WhenAll(requests.Select((request, index) => journal.AppendAsync(Accepted($"job{index}", request))));
        await using var again = JobJournal.Open(_gallery.Folder);
        Assert.Equal(requests, again.Restored.Select(job => job.Request));
    }

    [Fact]
    public async Task ATornLastLine_IsLeftOut()
    {
        await using (var journal = JobJournal.Open(_gallery.Folder))
        {
            await journal.AppendAsync(Accepted("one", BoardSetup.Ask(1)));
            await journal.AppendAsync(Accepted("two", BoardSetup.Ask(2)));
        }

        byte[] whole = await File.ReadAllBytesAsync(_gallery.Journal, Token);
        int first = Array.IndexOf(whole, (byte)'\n') + 1;
        for (int length = first; length < whole.Length; length += 7)
        {
            await File.WriteAllBytesAsync(_gallery.Journal, whole[..length], Token);
            await using var torn = JobJournal.Open(_gallery.Folder);
            Assert.Equal(["one"], torn.Restored.Select(job => job.Id));
            Assert.Equal(0, torn.DamagedLines);
        }
    }

    [Fact]
    public async Task ADamagedLine_LeavesTheOthers()
    {
        await using (var journal = JobJournal.Open(_gallery.Folder))
            await journal.AppendAsync(Accepted("one", BoardSetup.Ask(1)));
        string damaged = "{\"event\":\"accepted\"\n\0\0\0\n{}\n{\"event\":\"accepted\",\"id\":\"x\"}\n{\"event\":\"fly\",\"id\":\"one\"}\n";
        await File.AppendAllTextAsync(_gallery.Journal, damaged, Token);
        await using (var appended = new FileStream(_gallery.Journal, FileMode.Append))
            appended.Write(JournalText.Write(Accepted("two", BoardSetup.Ask(2))));
        await using var again = JobJournal.Open(_gallery.Folder);
        Assert.Equal(["one", "two"], again.Restored.Select(job => job.Id));
        Assert.Equal(5, again.DamagedLines);
        Assert.True(File.Exists(Path.Combine(_gallery.Folder, ".atelier", "journal.damaged.jsonl")));
    }

    [Fact]
    public async Task AJournal_ForgetsWhatHasEnded()
    {
        string prompt = new('a', 16_000);
        JobRequest request = BoardSetup.Ask(1) with { Picture = BoardSetup.Ask(1).Picture with { Prompt = prompt } };
        await using (var journal = JobJournal.Open(_gallery.Folder))
        {
            await journal.AppendAsync(Accepted("kept", request));
            List<Task> written = [];
            for (int i = 0; i < 1000; i++)
            {
                written.Add(journal.AppendAsync(Accepted($"job{i}", request)));
                written.Add(journal.AppendAsync(new JournalEntry { Event = JournalEvent.Ended, Id = $"job{i}" }));
            }

            await Task.WhenAll(written);
            // 16 MB were written.
            Assert.InRange(new FileInfo(_gallery.Journal).Length, 16_000, 9 << 20);
        }

        await using var again = JobJournal.Open(_gallery.Folder);
        Assert.Equal(["kept"], again.Restored.Select(job => job.Id));
        Assert.InRange(new FileInfo(_gallery.Journal).Length, 16_000, 20_000);
    }

    [Fact]
    public void TheOrder_FollowsTheEntries()
    {
        var state = new JournalState();
        foreach (string id in (string[])["a", "b", "c", "d"]) state.Apply(Accepted(id, BoardSetup.Ask(1, count: 2)));
        state.Apply(new JournalEntry { Event = JournalEvent.Moved, Id = "d", Before = "b" });
        state.Apply(new JournalEntry { Event = JournalEvent.Moved, Id = "a", Before = null });
        state.Apply(new JournalEntry { Event = JournalEvent.Started, Id = "c" });
        state.Apply(new JournalEntry { Event = JournalEvent.Picture, Id = "c", Index = 1 });
        state.Apply(new JournalEntry { Event = JournalEvent.Ended, Id = "b" });
        state.Apply(new JournalEntry { Event = JournalEvent.Ended, Id = "unknown" });
        Assert.Equal(["c", "d", "a"], state.Jobs.Select(job => job.Id));
        var again = new JournalState();
        foreach (JournalEntry entry in state.Entries()) again.Apply(entry);
        Assert.Equal(["c", "d", "a"], again.Jobs.Select(job => job.Id));
        Assert.Equal([1], again.Jobs[0].Finished);
    }

    [Fact]
    public void Ids_HaveTheOrderOfTheirMaking()
    {
        var ids = new JobIds();
        DateTimeOffset now = DateTimeOffset.UnixEpoch.AddYears(50);
        // The clock goes back in the middle.
        string[] made = [.. Enumerable.Range(0, 1000).Select(i => ids.Next(now.AddMilliseconds(i < 500 ? i / 10 : -i)))];
        Assert.Equal(made.Order(StringComparer.Ordinal), made);
        Assert.Equal(1000, made.Distinct().Count());
        Assert.All(made, id => Assert.True(JobIds.IsId(id)));
        var later = new JobIds();
        later.Follow(made[^1]);
        Assert.True(string.CompareOrdinal(later.Next(DateTimeOffset.UnixEpoch), made[^1]) > 0);
    }

    private static JournalEntry Accepted(string id, JobRequest request) =>
        new() { Event = JournalEvent.Accepted, Id = id, Accepted = DateTimeOffset.UnixEpoch, Request = request };
}

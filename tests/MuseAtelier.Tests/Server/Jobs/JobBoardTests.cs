using MuseAtelier.Server;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Jobs.Journal;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>The queue: order, stopping, moving, limits, failures, and what a restart keeps.</summary>
public sealed class JobBoardTests : IDisposable
{
    private readonly MemoryGallery _gallery = new();
    private readonly SteppedAtelier _atelier = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _gallery.Dispose();

    [Fact]
    public async Task AJob_OfSeveralPictures_IsPaintedPictureByPictureAndIsDone()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        Job accepted = await setup.AcceptAsync(7, count: 3);
        Assert.True(JobIds.IsId(accepted.Id));
        for (ulong seed = 7; seed < 10; seed++)
        {
            SteppedAtelier.Painting painting = await _atelier.NextAsync();
            Assert.Equal(seed, painting.Request.Seed);
            painting.Finish();
        }

        Job done = await setup.UntilAsync(accepted.Id, job => job.State == JobState.Done);
        Assert.Equal(3, done.Finished);
        Assert.Equal([.. Enumerable.Range(0, 3).Select(index => $"{accepted.Id}-{index}.png")], done.Pictures);
        Assert.Equal(done.Pictures, _gallery.Added);
    }

    [Fact]
    public async Task Jobs_AfterARestart_GoOnInTheirOrderAndPaintNoPictureTwice()
    {
        string[] ids;
        await using (BoardSetup first = await BoardSetup.StartAsync(_atelier, _gallery))
        {
            string running = (await first.AcceptAsync(10, count: 2)).Id;
            // It has begun before the others change places.
            SteppedAtelier.Painting begun = await _atelier.NextAsync();
            ids = [running, (await first.AcceptAsync(20)).Id, (await first.AcceptAsync(30)).Id];
            await first.Board.MoveAsync(ids[2], 0);
            begun.Finish();
            SteppedAtelier.Painting second = await _atelier.NextAsync();
            Assert.Equal(11ul, second.Request.Seed);
            await first.UntilAsync(ids[0], job => job.Finished == 1);
        }

        await using BoardSetup again = await BoardSetup.StartAsync(_atelier, _gallery);
        foreach (ulong seed in (ulong[])[11, 30, 20])
        {
            SteppedAtelier.Painting painting = await _atelier.NextAsync();
            Assert.Equal(seed, painting.Request.Seed);
            painting.Finish();
        }

        Job done = await again.UntilAsync(ids[1], job => job.State == JobState.Done);
        Assert.Equal([$"{ids[0]}-0.png", $"{ids[0]}-1.png"], again.Board.Find(ids[0])!.Pictures);
        Assert.Equal(4, _gallery.Added.Distinct().Count());
        Assert.Equal(4, _gallery.Added.Count);
        string later = (await again.AcceptAsync(40)).Id;
        Assert.True(string.CompareOrdinal(later, done.Id) > 0);
    }

    [Fact]
    public async Task AJob_WhosePicturesAllExist_IsDoneAfterARestart()
    {
        string id;
        await using (BoardSetup first = await BoardSetup.StartAsync(_atelier, _gallery))
        {
            id = (await first.AcceptAsync(1)).Id;
            await _atelier.NextAsync();
        }

        // The server was killed between writing the picture and noting it.
        using (Picture picture = Pictures.SamplePicture.Of(BoardSetup.Ask(1).Picture, 8, 8))
            await _gallery.AddAsync($"{id}-0.png", MuseAtelier.Pictures.PictureFile.Encode(picture, default), Token);
        await using BoardSetup again = await BoardSetup.StartAsync(_atelier, _gallery);
        Job done = again.Board.Find(id)!;
        Assert.Equal(JobState.Done, done.State);
        Assert.Equal([$"{id}-0.png"], done.Pictures);
        Assert.Equal(1, done.Finished);
    }

    [Fact]
    public async Task Stopping_AWaitingJob_RemovesItAtOnceAndForGood()
    {
        string second;
        await using (BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery))
        {
            await setup.AcceptAsync(1);
            await _atelier.NextAsync();
            second = (await setup.AcceptAsync(2)).Id;
            Job third = await setup.AcceptAsync(3);
            Assert.Equal(JobState.Stopped, (await setup.Board.StopAsync(second))!.State);
            Assert.Equal([third.Id], (await setup.Board.ClearAsync()).Select(job => job.Id));
            Assert.Null(await setup.Board.StopAsync("no such job"));
        }

        await using BoardSetup again = await BoardSetup.StartAsync(_atelier, _gallery);
        Assert.Equal(1ul, (await _atelier.NextAsync()).Request.Seed);
        Assert.Single(again.Board.Jobs);
    }

    [Fact]
    public async Task Stopping_ThePaintedJob_EndsItAndKeepsItsFinishedPictures()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        string first = (await setup.AcceptAsync(1, count: 2)).Id, second = (await setup.AcceptAsync(5)).Id;
        (await _atelier.NextAsync()).Finish();
        SteppedAtelier.Painting stopped = await _atelier.NextAsync();
        stopped.Report(1);
        Job job = (await setup.Board.StopAsync(first))!;
        Assert.Equal(JobState.Stopped, job.State);
        Assert.Equal([$"{first}-0.png"], job.Pictures);
        (await _atelier.NextAsync()).Finish();
        await setup.UntilAsync(second, next => next.State == JobState.Done);
        // A job that has ended stays as it is.
        Assert.Equal(JobState.Done, (await setup.Board.StopAsync(second))!.State);
    }

    [Fact]
    public async Task Moving_AWaitingJob_ChangesThePlaces()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        string running = (await setup.AcceptAsync(0)).Id;
        await _atelier.NextAsync();
        string[] ids = [(await setup.AcceptAsync(1)).Id, (await setup.AcceptAsync(2)).Id, (await setup.AcceptAsync(3)).Id];
        Assert.Equal(0, (await setup.Board.MoveAsync(ids[2], 0))!.Place);
        Assert.Equal(2, (await setup.Board.MoveAsync(ids[0], 99))!.Place);
        Assert.Equal([running, ids[2], ids[1], ids[0]], setup.Board.Jobs.Select(job => job.Id));
        Assert.Null(await setup.Board.MoveAsync(running, 0));
    }

    [Fact]
    public async Task AFullQueue_RefusesFurtherJobs()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery, new ServerLimits { WaitingJobs = 1 });
        await setup.AcceptAsync(0);
        await _atelier.NextAsync();
        await setup.AcceptAsync(1);
        ServerRequestException full = await Assert.ThrowsAsync<ServerRequestException>(() => setup.AcceptAsync(2));
        Assert.Equal((429, "queue-full"), (full.Status, full.Problem.Kind));
        JobRequest unknown = BoardSetup.Ask(1) with { Model = "miniatur" };
        ServerRequestException missing = await Assert.ThrowsAsync<ServerRequestException>(() => setup.Board.AcceptAsync(unknown, Token));
        Assert.Equal((404, "no-such-model"), (missing.Status, missing.Problem.Kind));
        Assert.Contains("Did you mean miniature?", missing.Problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFailure_OfOneJob_LeavesTheOthers()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        string first = (await setup.AcceptAsync(1)).Id, second = (await setup.AcceptAsync(2)).Id, third = (await setup.AcceptAsync(3)).Id;
        (await _atelier.NextAsync()).Fail(new InvalidOperationException("a secret"));
        Job failed = await setup.UntilAsync(first, job => job.State == JobState.Failed);
        Assert.Equal("failed", failed.Problem!.Kind);
        Assert.DoesNotContain("secret", failed.Problem.Message, StringComparison.Ordinal);
        SteppedAtelier.Painting painting = await _atelier.NextAsync();
        _gallery.Failure = new IOException("full", 28);
        painting.Finish();
        failed = await setup.UntilAsync(second, job => job.State == JobState.Failed);
        Assert.Equal("disk-full", failed.Problem!.Kind);
        _gallery.Failure = null;
        (await _atelier.NextAsync()).Finish();
        await setup.UntilAsync(third, job => job.State == JobState.Done);
    }

    [Fact]
    public async Task AClientThatWaits_GetsItsPicturesInOrder()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(new SteppedAtelier { PaintsAtOnce = true }, _gallery);
        List<FinishedPicture> pictures = [];
        string? id = null;
        Job job = await setup.Board.RunAsync(
            BoardSetup.Ask(3, count: 2) with { IsKept = false },
            accepted => id = accepted.Id,
            picture =>
            {
                pictures.Add(picture);
                return Task.CompletedTask;
            },
            Token);
        Assert.Equal(id, job.Id);
        Assert.Equal([3ul, 4], pictures.Select(picture => picture.Request.Seed));
        Assert.Equal([0, 1], pictures.Select(picture => picture.Index));
        Assert.All(pictures, picture => Assert.Contains($"Seed: {picture.Request.Seed}", picture.Parameters, StringComparison.Ordinal));
        Assert.Empty(_gallery.Added);
        Assert.DoesNotContain(id!, await File.ReadAllTextAsync(_gallery.Journal, Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClientThatWaits_EndsItsJobByItsToken()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        using var leaving = new CancellationTokenSource();
        Task<Job> run = setup.Board.RunAsync(BoardSetup.Ask(1), null, _ => Task.CompletedTask, leaving.Token);
        await _atelier.NextAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        // The token of a client that waits in the queue removes its job.
        await setup.AcceptAsync(2);
        await _atelier.NextAsync();
        using var other = new CancellationTokenSource();
        Task<Job> waiting = setup.Board.RunAsync(BoardSetup.Ask(3), null, _ => Task.CompletedTask, other.Token);
        await other.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.DoesNotContain(setup.Board.Jobs, job => job.State == JobState.Waiting);
    }

    [Fact]
    public async Task AStoppingServer_EndsWaitingClientsAndTakesNothingMore()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        Task<Job> painted = setup.Board.RunAsync(BoardSetup.Ask(1), null, _ => Task.CompletedTask, Token);
        await _atelier.NextAsync();
        Task<Job> waiting = setup.Board.RunAsync(BoardSetup.Ask(2), null, _ => Task.CompletedTask, Token);
        setup.StopApplication();
        foreach (Task<Job> run in (Task<Job>[])[painted, waiting, setup.AcceptAsync(3)])
        {
            ServerRequestException ended = await Assert.ThrowsAsync<ServerRequestException>(() => run);
            Assert.Equal((409, "stopping"), (ended.Status, ended.Problem.Kind));
        }
    }

    [Fact]
    public async Task ASecondServer_OnTheSameGallery_IsRefused()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        GalleryInUseException refused =
            await Assert.ThrowsAsync<GalleryInUseException>(() => BoardSetup.StartAsync(_atelier, _gallery));
        Assert.Equal(Environment.ProcessId, refused.Process);
        Assert.Contains(_gallery.Folder, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APreview_IsEncodedOnlyForThoseWhoWatch()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        string id = (await setup.AcceptAsync(1)).Id;
        SteppedAtelier.Painting painting = await _atelier.NextAsync();
        painting.Report(1, new LatentPreview(32, 32, new byte[32 * 32 * 3]));
        Assert.Equal(0, setup.Board.Find(id)!.Preview);
        // Asking for it counts as watching.
        Assert.Null(setup.Board.Preview(id));
        await setup.UntilAsync(id, job => job.Preview == 1);
        PreviewImage preview = setup.Board.Preview(id)!;
        Assert.Equal("image/jpeg", preview.MediaType);
        Assert.Equal(0xD8, preview.File.Span[1]);
        Assert.Equal(1, setup.Board.Find(id)!.Step);
        await setup.Board.StopAsync(id);
        Assert.NotNull(setup.Board.Preview(id));
    }
}

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Events;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;
using MuseAtelier.Tests.Pictures;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>A board over an atelier, a gallery and one model, without a web server.</summary>
internal sealed class BoardSetup : IAsyncDisposable, IHostApplicationLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _stopping = new();

    private BoardSetup(IAtelier atelier, MemoryGallery gallery, ServerLimits limits)
    {
        var options = new ServerOptions { Models = [], Atelier = TestAtelier.Options, Gallery = gallery.Folder, Limits = limits };
        Events = new EventHub(limits);
        Shelf = new OneShelf(atelier);
        Uploads = new UploadStore(new GalleryFolders(gallery.Folder), limits);
        var sources = new JobSources(Uploads, new UpscalerShelf(options), new LoraCatalog(options), new EmbeddingShelf(options));
        Board = new JobBoard(options, gallery, sources, Shelf, Events, this, NullLoggerFactory.Instance);
    }

    public JobBoard Board { get; }

    public EventHub Events { get; }

    public UploadStore Uploads { get; }

    public OneShelf Shelf { get; }

    public CancellationToken ApplicationStarted => CancellationToken.None;

    public CancellationToken ApplicationStopping => _stopping.Token;

    public CancellationToken ApplicationStopped => CancellationToken.None;

    public static async Task<BoardSetup> StartAsync(IAtelier atelier, MemoryGallery gallery, ServerLimits? limits = null)
    {
        var setup = new BoardSetup(atelier, gallery, limits ?? new ServerLimits());
        try
        {
            await setup.Board.StartAsync(TestContext.Current.CancellationToken);
            return setup;
        }
        catch
        {
            await setup.DisposeAsync();
            throw;
        }
    }

    /// <summary>Requests of every kind that can be painted, the same ones in every run.</summary>
    public static IEnumerable<PictureRequest> AnyRequests(int seed, int count) => RandomRequests.Of(seed, count)
        .Where(picture => Record.Exception(() => PictureRequestException.ThrowIfUnpaintable(picture)) is null);

    /// <summary>A request for pictures whose seeds begin with a number.</summary>
    public static JobRequest Ask(ulong seed, int count = 1) =>
        new() { Picture = new PictureRequest { Prompt = "a heron", Width = 256, Height = 256, Steps = 2, Seed = seed }, Count = count };

    public Task<Job> AcceptAsync(ulong seed, int count = 1) => Board.AcceptAsync(Ask(seed, count), TestContext.Current.CancellationToken);

    /// <summary>Waits until a job is as it should be.</summary>
    public async Task<Job> UntilAsync(string id, Predicate<Job> isSo)
    {
        using EventReader reader = Events.Open();
        reader.TakeBehind();
        while (true)
        {
            Job job = Board.Find(id) ?? throw new InvalidOperationException($"The job {id} is not known.");
            if (isSo(job)) return job;
            Assert.True(await reader.WaitAsync(Patience, TestContext.Current.CancellationToken), $"The job stays {job}.");
            while (reader.TryRead() is not null)
            {
            }
        }
    }

    public void StopApplication() => _stopping.Cancel();

    public async ValueTask DisposeAsync()
    {
        await Board.DisposeAsync();
        Uploads.Dispose();
        _stopping.Dispose();
    }
}

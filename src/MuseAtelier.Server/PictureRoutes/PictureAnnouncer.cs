using Microsoft.Extensions.Hosting;
using MuseAtelier.Server.Events;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>Tells every page of pictures that come and go.</summary>
internal sealed class PictureAnnouncer(FolderGallery gallery, UploadStore uploads, IEventHub events, IJobBoard jobs) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        gallery.Added += AnnounceAdded;
        gallery.Removed += AnnounceRemoved;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        gallery.Added -= AnnounceAdded;
        gallery.Removed -= AnnounceRemoved;
        return Task.CompletedTask;
    }

    private void AnnounceAdded(GalleryPicture picture) =>
        events.Publish("picture", picture.Id, PictureJson.Of(picture, uploads, job => jobs.Find(job) is not null));

    private void AnnounceRemoved(string id) => events.Publish("removed", id, new { Id = id });
}

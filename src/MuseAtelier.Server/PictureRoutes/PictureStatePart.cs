using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Server.Events;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>Adds the newest pictures and the number of all to the state.</summary>
internal sealed class PictureStatePart(FolderGallery gallery, UploadStore uploads, IJobBoard jobs) : IStatePart
{
    private const int Recent = 12;

    /// <inheritdoc/>
    public void AddTo(JsonObject state)
    {
        IEnumerable<PictureJson> recent =
            gallery.Newest(Recent).Select(picture => PictureJson.Of(picture, uploads, job => jobs.Find(job) is not null));
        state["recent"] = JsonSerializer.SerializeToNode(recent, WireJson.Options);
        state["galleryCount"] = gallery.Count;
    }
}

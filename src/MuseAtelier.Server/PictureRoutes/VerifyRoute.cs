using Microsoft.AspNetCore.Http;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>Queues the verification of a picture.</summary>
internal sealed class VerifyRoute(FolderGallery gallery, UploadStore uploads, IModelShelf shelf, IJobBoard jobs)
{
    /// <summary>Accepts the job.</summary>
    public async Task<IResult> RunAsync(string id, CancellationToken cancellationToken)
    {
        GalleryPicture picture = gallery.Find(id) ?? throw GalleryProblems.NoSuchPicture();
        if (gallery.PathOf(id) is null) throw GalleryProblems.NoSuchPicture();
        PictureRecord record = picture.Record ?? throw Problems.Make(
            400, "no-record", "The picture has no record that can be read; expected one of MuseAtelier. Choose another picture.");
        ShelfModel model = shelf.Find(record.Model.Sha256) ?? shelf.Find(record.Model.Name) ?? throw Problems.Make(
            404, "no-such-model", $"{record.Model.Name} painted the picture, and this server does not have it. Start it with that model.");
        var request = new JobRequest
        {
            Picture = record.Request,
            Uploads = uploads.Of(record.Request),
            Model = model.Id,
            Verifies = id,
            IsKept = false,
            Format = picture.Format,
        };
        Job job = await jobs.AcceptAsync(request, cancellationToken).ConfigureAwait(false);
        return Results.Json(JobJson.Write(job), WireJson.Options, statusCode: StatusCodes.Status202Accepted);
    }
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Server.Events;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>The routes of the pictures in the gallery.</summary>
internal static class PictureEndpoints
{
    private const string One = "/pictures/{id}";

    /// <summary>Adds the services.</summary>
    public static void AddPictures(this WebApplicationBuilder builder)
    {
        builder.Services.AddHostedService<PictureAnnouncer>();
        builder.Services.AddSingleton<IStatePart, PictureStatePart>();
        builder.Services.AddSingleton<RecordRoute>();
        builder.Services.AddSingleton<VerifyRoute>();
    }

    /// <summary>Maps the routes.</summary>
    public static void MapPictures(this WebApplication app)
    {
        RouteGroupBuilder routes = app.MapGroup("/api/v1").WithTags("Pictures");
        routes.MapGet("/pictures", ListAsync)
            .WithSummary("Lists pictures, newest first.")
            .WithDescription("q is looked for in prompts, in the model's name and as the seed. cursor is the next of an earlier answer.")
            .Produces<PictureList>();
        routes.MapGet(One, GetAsync)
            .WithSummary("One picture with its settings as AUTOMATIC1111's text.")
            .Produces<PictureJson>();
        routes.MapMethods($"{One}/file", [HttpMethods.Get, HttpMethods.Head], PictureFileRoute.File)
            .WithSummary("The file of a picture; with download it is an attachment.");
        routes.MapMethods($"{One}/thumbnail", [HttpMethods.Get, HttpMethods.Head], PictureFileRoute.ThumbnailAsync)
            .WithSummary("A WebP file of a picture with at most 480 px on its longer side.");
        routes.MapDelete(One, RemoveAsync)
            .WithSummary("Moves a picture to the trash, where it stays for 30 days.")
            .Produces(StatusCodes.Status204NoContent);
        routes.MapPost($"{One}/restore", RestoreAsync)
            .WithSummary("Takes a picture back from the trash.")
            .Produces<PictureJson>();
        routes.MapPost($"{One}/verify", (string id, [FromServices] VerifyRoute route, CancellationToken cancellationToken) =>
                route.RunAsync(id, cancellationToken))
            .WithSummary("Queues a job that paints a picture again and compares the two.")
            .Produces(StatusCodes.Status202Accepted);
        routes.MapPost("/records", (HttpRequest request, [FromServices] RecordRoute route) => route.RunAsync(request))
            .WithSummary("Reads how a picture file was made. The body is the file; nothing is kept.")
            .Produces<RecordJson>();
    }

    private static async Task<IResult> ListAsync(
        string? q,
        string? cursor,
        string? limit,
        [FromServices] FolderGallery gallery,
        [FromServices] UploadStore uploads,
        [FromServices] IJobBoard jobs,
        CancellationToken cancellationToken)
    {
        GalleryPage page = await gallery.ListAsync(PictureQuery.Read(q, cursor, limit), cancellationToken).ConfigureAwait(false);
        return Json(new PictureList
        {
            Pictures = [.. page.Pictures.Select(picture => Describe(picture, uploads, jobs))],
            Next = page.Next?.ToString(),
            Total = page.Total,
        });
    }

    private static async Task<IResult> GetAsync(
        string id,
        [FromServices] FolderGallery gallery,
        [FromServices] UploadStore uploads,
        [FromServices] IJobBoard jobs,
        CancellationToken cancellationToken)
    {
        GalleryPicture picture = gallery.Find(id) ?? throw GalleryProblems.NoSuchPicture();
        string path = gallery.PathOf(id) ?? throw GalleryProblems.NoSuchPicture();
        string? text = await Task.Run(() => PictureSettings.TextOf(picture, path), cancellationToken).ConfigureAwait(false);
        return Json(Describe(picture, uploads, jobs) with { Text = text });
    }

    private static async Task<IResult> RemoveAsync(string id, [FromServices] FolderGallery gallery) =>
        await gallery.RemoveAsync(id).ConfigureAwait(false) ? Results.NoContent() : throw GalleryProblems.NoSuchPicture();

    private static async Task<IResult> RestoreAsync(
        string id, [FromServices] FolderGallery gallery, [FromServices] UploadStore uploads, [FromServices] IJobBoard jobs) =>
        await gallery.RestoreAsync(id).ConfigureAwait(false) is { } picture
            ? Json(Describe(picture, uploads, jobs))
            : throw GalleryProblems.NoSuchPicture();

    private static PictureJson Describe(GalleryPicture picture, UploadStore uploads, IJobBoard jobs) =>
        PictureJson.Of(picture, uploads, job => jobs.Find(job) is not null);

    private static IResult Json<T>(T value) => Results.Json(value, WireJson.Options);
}

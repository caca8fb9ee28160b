using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Gallery;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>The routes that answer with a file.</summary>
internal static class PictureFileRoute
{
    // A thumbnail's address has the version of its file, so that it never changes. Private: other users' caches must not keep it.
    private const string ForEver = "private, max-age=31536000, immutable";
    private const string AskEachTime = "private, no-cache";

    /// <summary>The file of a picture, whole or in ranges.</summary>
    public static IResult File(string id, HttpContext context, [FromServices] FolderGallery gallery)
    {
        GalleryPicture picture = gallery.Find(id) ?? throw GalleryProblems.NoSuchPicture();
        string path = gallery.PathOf(id) ?? throw GalleryProblems.NoSuchPicture();
        SetHeaders(context.Response, AskEachTime);
        bool isDownload = context.Request.Query.ContainsKey("download");
        // The stream is disposed with the answer.
        FileStream file = Open(path);
        return Results.Stream(
            file,
            PictureFormats.MediaType(picture.Format),
            isDownload ? Printable(picture.FileName) : null,
            picture.Painted,
            TagOf(picture),
            enableRangeProcessing: true);
    }

    /// <summary>The thumbnail of a picture.</summary>
    public static async Task<IResult> ThumbnailAsync(
        string id,
        HttpContext context,
        [FromServices] FolderGallery gallery,
        [FromServices] ThumbnailStore thumbnails,
        CancellationToken cancellationToken)
    {
        GalleryPicture picture = gallery.Find(id) ?? throw GalleryProblems.NoSuchPicture();
        string path = gallery.PathOf(id) ?? throw GalleryProblems.NoSuchPicture();
        byte[] file;
        try
        {
            file = await thumbnails.GetAsync(picture, path, cancellationToken).ConfigureAwait(false);
        }
        catch (PictureNotFoundException)
        {
            throw GalleryProblems.NoSuchPicture();
        }
        catch (PictureFileException exception)
        {
            throw WithoutPath(Problems.Of(exception));
        }

        bool isVersioned = context.Request.Query["v"] == ThumbnailStore.VersionOf(picture);
        SetHeaders(context.Response, isVersioned ? ForEver : AskEachTime);
        return Results.File(file, PictureFormats.MediaType(PictureFormat.WebP), null, false, picture.Painted, TagOf(picture));
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Access = FileAccess.Read,
                Share = FileShare.ReadWrite | FileShare.Delete,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
                BufferSize = 0,
            });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw GalleryProblems.NoSuchPicture();
        }
    }

    private static EntityTagHeaderValue TagOf(GalleryPicture picture) => new($"\"{ThumbnailStore.VersionOf(picture)}\"");

    // Systems other than Windows allow line breaks in names.
    private static string Printable(string name) => string.Concat(name.Select(letter => char.IsControl(letter) ? '_' : letter));

    private static void SetHeaders(HttpResponse response, string caching)
    {
        response.Headers.CacheControl = caching;
        response.Headers.XContentTypeOptions = "nosniff";
    }

    // The exception names the file's path, which is no client's business.
    private static ServerRequestException WithoutPath(ServerRequestException exception) => Problems.Make(
        exception.Status,
        exception.Problem.Kind,
        "This file cannot be shown smaller: it is damaged, too large, or uses a feature that is not supported. Open the file itself.",
        exception);
}

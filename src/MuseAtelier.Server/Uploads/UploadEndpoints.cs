using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Gallery;

namespace MuseAtelier.Server.Uploads;

/// <summary>The routes of pictures that others are painted from.</summary>
internal static class UploadEndpoints
{
    private const int LongestName = 1024;

    /// <summary>Adds the services.</summary>
    public static void AddUploads(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(services => new UploadStore(
            services.GetRequiredService<GalleryFolders>(), services.GetRequiredService<ServerOptions>().Limits));
        builder.Services.AddSingleton<PictureBody>();
    }

    /// <summary>Maps the routes.</summary>
    public static void MapUploads(this WebApplication app)
    {
        RouteGroupBuilder routes = app.MapGroup("/api/v1/uploads").WithTags("Uploads");
        routes.MapPost("", AddAsync)
            .WithSummary("Keeps a picture, from which others are painted. The body is the file.")
            .Produces<Upload>(StatusCodes.Status201Created);
        routes.MapGet("/{id}", Find).WithSummary("One upload.").Produces<Upload>();
        routes.MapGet("/{id}/file", File).WithSummary("The file of an upload.");
    }

    private static async Task<IResult> AddAsync(
        HttpContext context, string? name, [FromServices] UploadStore uploads, [FromServices] PictureBody bodies)
    {
        HttpRequest request = context.Request;
        // A picture whose type is unknown comes as application/octet-stream.
        string type = request.ContentType ?? "";
        bool isPicture = type.StartsWith("image/", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase);
        if (!isPicture)
        {
            throw Problems.Make(
                415, "bad-content-type", "The body is declared as no picture; expected image/png, image/jpeg or image/webp. Set the type.");
        }

        if (name?.Length > LongestName)
            throw Problems.BadValue("name", "name is too long", $"at most {LongestName} characters", "Shorten it.");
        Upload upload = await bodies.ReadAsync(request, file => uploads.Add(file, name)).ConfigureAwait(false);
        context.Response.Headers.Location = $"/api/v1/uploads/{upload.Id}";
        return Results.Json(upload, WireJson.Options, statusCode: StatusCodes.Status201Created);
    }

    private static IResult Find(string id, [FromServices] UploadStore uploads) =>
        Results.Json(uploads.Find(id) ?? throw UploadProblems.NoSuchUpload(), WireJson.Options);

    private static IResult File(string id, HttpContext context, [FromServices] UploadStore uploads)
    {
        Upload upload = uploads.Find(id) ?? throw UploadProblems.NoSuchUpload();
        context.Response.Headers.XContentTypeOptions = "nosniff";
        // The address has the digest of the content. Other users' caches must not keep it.
        context.Response.Headers.CacheControl = "private, max-age=86400, immutable";
        return Results.Bytes(uploads.Read(upload), PictureFormats.MediaType(upload.Format));
    }
}

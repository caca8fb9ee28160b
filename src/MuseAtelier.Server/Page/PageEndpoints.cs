using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace MuseAtelier.Server.Page;

/// <summary>The page: files that are part of the program, served from memory.</summary>
internal static class PageEndpoints
{
    /// <summary>The environment variable that names a folder whose files are served instead, for work on the page.</summary>
    public const string FolderVariable = "MUSE_ATELIER_PAGE_FOLDER";

    private const string Start = "index.html";
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps the routes.</summary>
    public static void MapPage(this WebApplication app)
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder)
        {
            app.MapMethods("/{**name}", Methods, (HttpContext context, string? name) => SendAsync(context, FindIn(folder, name)))
                .ExcludeFromDescription();
            return;
        }

        IReadOnlyList<PageFile> files = PageFiles.Embedded;
        foreach (PageFile file in files)
        {
            Map(app, $"/{file.Name}", file);
            if (file.Name == Start) Map(app, "/", file);
        }

        // Compressing takes longer than a browser should wait for its first page, so it goes on beside.
        var lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
        lifetime.ApplicationStarted.Register(() => _ = PageFiles.CompressAsync());
    }

    private static void Map(IEndpointRouteBuilder routes, string path, PageFile file) =>
        routes.MapMethods(path, Methods, (HttpContext context) => SendAsync(context, file)).ExcludeFromDescription();

    // Names are compared with those of the folder, so that no path leads out of it.
    private static PageFile? FindIn(string folder, string? name) =>
        PageFiles.Read(folder).FirstOrDefault(file => file.Name == (string.IsNullOrEmpty(name) ? Start : name));

    private static async Task SendAsync(HttpContext context, PageFile? file)
    {
        HttpResponse response = context.Response;
        if (file is null)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        HttpRequest request = context.Request;
        (byte[] bytes, string? encoding) = file.For(request.Headers.AcceptEncoding.ToString());
        // The encodings of a file are not the same bytes, so each has a tag of its own.
        string tag = $"\"{file.Tag}{(encoding is null ? "" : $"-{encoding}")}\"";
        response.Headers.ETag = tag;
        response.Headers.Vary = "Accept-Encoding";
        response.Headers.CacheControl = "no-cache";
        if (request.Headers.IfNoneMatch.Any(header => header is not null && Holds(header, file.Tag)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = file.MediaType;
        response.ContentLength = bytes.Length;
        if (encoding is not null) response.Headers.ContentEncoding = encoding;
        if (HttpMethods.IsHead(request.Method)) return;
        await response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }

    private static bool Holds(string header, string tag) => header == "*" || header.Contains(tag, StringComparison.Ordinal);
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using MuseAtelier.Server.Events;
using Scalar.AspNetCore;

namespace MuseAtelier.Server.Documents;

/// <summary>The OpenAPI document and its page.</summary>
internal static class DocumentEndpoints
{
    private const string Name = "v1", Page = "/docs";

    /// <summary>Adds the services.</summary>
    public static void AddDocuments(this WebApplicationBuilder builder) =>
        builder.Services.AddOpenApi(Name, options => options.AddDocumentTransformer((document, _, _) =>
        {
            Describe(document);
            return Task.CompletedTask;
        }));

    /// <summary>Maps the routes.</summary>
    public static void MapDocuments(this WebApplication app)
    {
        app.MapOpenApi();
        app.MapScalarApiReference(Page, (options, context) =>
        {
            // The page begins with a script in its HTML, which only this nonce lets run, and its script sets styles.
            string nonce = Convert.ToBase64String(Guid.NewGuid().ToByteArray());
            context.Response.Headers.ContentSecurityPolicy = PolicyOf(nonce);
            options
                .WithTitle("MuseAtelier")
                .HideClientButton()
                .WithNonce(nonce)
                .DisableDefaultFonts()
                .DisableTelemetry()
                .DisableAgent();
            options.ShowDeveloperTools = DeveloperToolsVisibility.Never;
        });
    }

    private static string PolicyOf(string nonce) =>
        $"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        + "font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

    private static void Describe(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "MuseAtelier",
            Version = ServerStatePart.Version,
            Description = "The routes of muse atelier: the page's own API (/api/v1), AUTOMATIC1111's API (/sdapi/v1) and OpenAI's images "
                + "API (/v1). All share one queue. Every answer with a status from 400 on holds a problem, in the form that the API's "
                + "clients expect. docs/http-api.md describes the own API in full.",
        };
        // The document is the same under whatever address it is read.
        document.Servers = [new OpenApiServer { Url = "/" }];
        foreach ((string path, IOpenApiPathItem item) in document.Paths)
        {
            string group = GroupOf(path);
            if (item.Operations is null) continue;
            foreach (OpenApiOperation operation in item.Operations.Values)
                operation.Tags = new HashSet<OpenApiTagReference> { new(group, document) };
        }

        document.Tags = new HashSet<OpenApiTag>(
            document.Paths.Keys.Select(GroupOf).Distinct().Order(StringComparer.Ordinal).Select(name => new OpenApiTag { Name = name }));
    }

    private static string GroupOf(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        ["api", "v1", var part, ..] => part,
        ["sdapi", ..] => "AUTOMATIC1111",
        ["v1", ..] => "OpenAI",
        _ => "server",
    };
}

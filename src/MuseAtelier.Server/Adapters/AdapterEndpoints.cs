using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace MuseAtelier.Server.Adapters;

/// <summary>The routes of LoRAs and embeddings.</summary>
internal static class AdapterEndpoints
{
    /// <summary>Adds the services.</summary>
    public static void AddAdapters(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LoraCatalog>();
        builder.Services.AddSingleton<EmbeddingShelf>();
    }

    /// <summary>Maps the routes.</summary>
    public static void MapAdapters(this WebApplication app)
    {
        RouteGroupBuilder loras = app.MapGroup("/api/v1/loras");
        loras.MapGet("", async Task<JsonHttpResult<LoraAnswer>> (LoraCatalog catalog) => Answer(await Task.Run(catalog.All)))
            .Produces<LoraAnswer>()
            .WithName("listLoras")
            .WithSummary("Lists the LoRAs in the server's folders, by name.");
        loras.MapPost("refresh", async Task<JsonHttpResult<LoraAnswer>> (LoraCatalog catalog) => Answer(await Task.Run(catalog.Refresh)))
            .Produces<LoraAnswer>()
            .WithName("refreshLoras")
            .WithSummary("Lists the folders of LoRAs again at once.");
        RouteGroupBuilder embeddings = app.MapGroup("/api/v1/embeddings");
        embeddings.MapGet("", async Task<JsonHttpResult<EmbeddingAnswer>> (EmbeddingShelf shelf) => Answer(await Task.Run(shelf.All)))
            .Produces<EmbeddingAnswer>()
            .WithName("listEmbeddings")
            .WithSummary("Lists the embeddings in the server's folders, by name.");
        embeddings.MapPost(
                "refresh", async Task<JsonHttpResult<EmbeddingAnswer>> (EmbeddingShelf shelf) => Answer(await Task.Run(shelf.Refresh)))
            .Produces<EmbeddingAnswer>()
            .WithName("refreshEmbeddings")
            .WithSummary("Lists the folders of embeddings again at once.");
    }

    private static JsonHttpResult<LoraAnswer> Answer(IReadOnlyList<ListedLora> loras) =>
        TypedResults.Json(new LoraAnswer(loras), WireJson.Options);

    private static JsonHttpResult<EmbeddingAnswer> Answer(IReadOnlyList<ListedEmbedding> embeddings) =>
        TypedResults.Json(new EmbeddingAnswer(embeddings), WireJson.Options);
}

using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MuseAtelier.Server.Events;

namespace MuseAtelier.Server.Models;

/// <summary>The models that the server may open.</summary>
internal static class ModelEndpoints
{
    /// <summary>Adds the services.</summary>
    public static void AddModels(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IModelShelf>(services =>
        {
            var options = services.GetRequiredService<ServerOptions>();
            AtelierOptions atelier = options.Atelier with
            {
                LoggerFactory = services.GetRequiredService<ILoggerFactory>(),
                MeterFactory = services.GetRequiredService<IMeterFactory>(),
            };
            // The hub is asked for when there is something to tell, because it may itself need the shelf.
            return new ModelShelf(
                options,
                atelier,
                answer => services.GetService<IEventHub>()?.Publish("models", "models", answer),
                services.GetRequiredService<ILogger<ModelShelf>>());
        });
        builder.Services.AddSingleton<UpscalerShelf>();
        builder.Services.AddSingleton<IStatePart, ShelfStatePart>();
        builder.Services.AddHostedService<SanctumWatch>();
    }

    /// <summary>Maps the routes.</summary>
    public static void MapModels(this WebApplication app)
    {
        RouteGroupBuilder models = app.MapGroup("/api/v1/models").WithTags("models");
        models.MapGet("", JsonHttpResult<ShelfAnswer> (IModelShelf shelf) => Answer(shelf))
            .Produces<ShelfAnswer>()
            .WithName("listModels")
            .WithSummary("Lists the models, the current one and those that are open.");
        models.MapPost("{id}/choose", JsonHttpResult<ShelfAnswer> (string id, IModelShelf shelf) =>
        {
            shelf.Choose(id);
            return Answer(shelf);
        })
            .Produces<ShelfAnswer>()
            .WithName("chooseModel")
            .WithSummary("Makes a model the one that requests use which name none. It is opened when the first of them is painted.");
        models.MapPost("refresh", JsonHttpResult<ShelfAnswer> (IModelShelf shelf) =>
        {
            shelf.Refresh();
            return Answer(shelf);
        })
            .Produces<ShelfAnswer>()
            .WithName("refreshModels")
            .WithSummary("Reads the folders of models again.");
    }

    private static JsonHttpResult<ShelfAnswer> Answer(IModelShelf shelf) => TypedResults.Json(ShelfAnswer.Of(shelf), WireJson.Options);
}

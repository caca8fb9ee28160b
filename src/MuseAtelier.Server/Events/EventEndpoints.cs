using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace MuseAtelier.Server.Events;

/// <summary>The state, and the stream of events.</summary>
internal static class EventEndpoints
{
    /// <summary>Adds the services.</summary>
    public static void AddEvents(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(services => new EventHub(services.GetRequiredService<ServerOptions>().Limits));
        builder.Services.AddSingleton<IEventHub>(services => services.GetRequiredService<EventHub>());
        builder.Services.AddSingleton<ServerState>();
        builder.Services.AddSingleton<EventStream>();
    }

    /// <summary>Maps the routes.</summary>
    public static void MapEvents(this WebApplication app)
    {
        app.MapGet("/api/v1/state", (ServerState state) => Results.Json(state.Write(), WireJson.Options))
            .WithTags("State")
            .WithSummary("All that a page needs to begin");
        app.MapGet("/api/v1/events", (HttpContext context, EventStream stream) => stream.ServeAsync(context))
            .WithTags("State")
            .WithSummary("Server-sent events; the first is the state");
    }
}

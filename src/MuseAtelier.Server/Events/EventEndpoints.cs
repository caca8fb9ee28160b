using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.Events;

/// <summary>The stream of events.</summary>
internal static class EventEndpoints
{
    /// <summary>Adds the services.</summary>
    public static void AddEvents(this WebApplicationBuilder builder)
    {
    }

    /// <summary>Maps the routes.</summary>
    public static void MapEvents(this WebApplication app)
    {
    }
}

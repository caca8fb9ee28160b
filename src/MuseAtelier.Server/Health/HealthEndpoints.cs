using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.Health;

/// <summary>Health and metrics.</summary>
internal static class HealthEndpoints
{
    /// <summary>Adds the services.</summary>
    public static void AddHealth(this WebApplicationBuilder builder)
    {
    }

    /// <summary>Maps the routes.</summary>
    public static void MapHealth(this WebApplication app)
    {
    }
}

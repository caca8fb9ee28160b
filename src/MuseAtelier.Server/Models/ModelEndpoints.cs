using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.Models;

/// <summary>The models that the server may open.</summary>
internal static class ModelEndpoints
{
    /// <summary>Adds the services.</summary>
    public static void AddModels(this WebApplicationBuilder builder)
    {
    }

    /// <summary>Maps the routes.</summary>
    public static void MapModels(this WebApplication app)
    {
    }
}

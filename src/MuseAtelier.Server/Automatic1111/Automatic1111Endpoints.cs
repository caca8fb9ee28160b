using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>The routes of AUTOMATIC1111's API.</summary>
internal static class Automatic1111Endpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapAutomatic1111(this WebApplication app)
    {
    }
}

using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.Jobs;

/// <summary>The queue.</summary>
internal static class JobEndpoints
{
    /// <summary>Adds the services.</summary>
    public static void AddJobs(this WebApplicationBuilder builder)
    {
    }

    /// <summary>Maps the routes.</summary>
    public static void MapJobs(this WebApplication app)
    {
    }
}

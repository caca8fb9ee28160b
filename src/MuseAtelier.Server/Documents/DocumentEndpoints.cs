using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.Documents;

/// <summary>The OpenAPI document and its page.</summary>
internal static class DocumentEndpoints
{
    /// <summary>Adds the services.</summary>
    public static void AddDocuments(this WebApplicationBuilder builder)
    {
    }

    /// <summary>Maps the routes.</summary>
    public static void MapDocuments(this WebApplication app)
    {
    }
}

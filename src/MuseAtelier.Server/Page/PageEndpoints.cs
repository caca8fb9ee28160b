using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.Page;

/// <summary>The page: files that are part of the program.</summary>
internal static class PageEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapPage(this WebApplication app)
    {
    }
}

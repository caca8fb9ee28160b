using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.Gallery;

/// <summary>The pictures, and what files say of themselves.</summary>
internal static class GalleryEndpoints
{
    /// <summary>Adds the services.</summary>
    public static void AddGallery(this WebApplicationBuilder builder)
    {
    }

    /// <summary>Maps the routes.</summary>
    public static void MapGallery(this WebApplication app)
    {
    }
}

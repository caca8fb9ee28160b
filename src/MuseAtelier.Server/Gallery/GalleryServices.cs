using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace MuseAtelier.Server.Gallery;

/// <summary>The services of the gallery.</summary>
internal static class GalleryServices
{
    /// <summary>Adds the services.</summary>
    public static void AddGallery(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(services => new GalleryFolders(services.GetRequiredService<ServerOptions>().Gallery));
        builder.Services.AddSingleton<FolderGallery>();
        builder.Services.AddSingleton<IGallery>(services => services.GetRequiredService<FolderGallery>());
        builder.Services.AddHostedService(services => services.GetRequiredService<FolderGallery>());
        builder.Services.AddSingleton(services => new ThumbnailStore(services.GetRequiredService<GalleryFolders>()));
    }
}

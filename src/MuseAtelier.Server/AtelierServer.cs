using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Automatic1111;
using MuseAtelier.Server.Checklist;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Documents;
using MuseAtelier.Server.Events;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Health;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Logging;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.OpenAi;
using MuseAtelier.Server.Page;
using MuseAtelier.Server.PictureRoutes;
using MuseAtelier.Server.Planning;
using MuseAtelier.Server.Security;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server;

/// <summary>Composes the server of its parts.</summary>
internal static class AtelierServer
{
    /// <summary>Builds the server; the caller starts it, waits for its end and disposes it.</summary>
    /// <param name="options">What to serve.</param>
    public static WebApplication Build(ServerOptions options)
    {
        options.ThrowIfInvalid();
        // An empty builder reads neither files of the working folder nor variables of the environment, which could open other addresses.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        if (options.Log is { } log) builder.Logging.AddProvider(new LineLogger(log));
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<IStatePart, ServerStatePart>();
        builder.AddSecurity(options);
        builder.AddEvents();
        builder.AddModels();
        builder.AddAdapters();
        builder.AddGallery();
        builder.AddUploads();
        builder.Services.AddSingleton(_ => new LargeBodies(options.Limits));
        builder.AddPictures();
        builder.AddPlanning();
        builder.AddJobs();
        builder.AddHealth();
        builder.AddDocuments();
        WebApplication app = builder.Build();
        app.UseSecurity(options);
        app.MapEvents();
        app.MapModels();
        app.MapAdapters();
        app.MapUploads();
        app.MapPictures();
        app.MapPlanning();
        app.MapJobs();
        app.MapChecklist();
        app.MapHealth();
        app.MapAutomatic1111();
        app.MapOpenAi();
        app.MapDocuments();
        app.MapPage();
        return app;
    }
}

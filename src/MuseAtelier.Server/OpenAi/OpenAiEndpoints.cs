using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.OpenAi;

/// <summary>The routes of OpenAI's images API.</summary>
internal static class OpenAiEndpoints
{
    // Pictures are sent in forms. Without a type, the body would be described as one of void, which no description can have.
    private static readonly AcceptsMetadata Forms = new(["multipart/form-data", "application/json"], typeof(object));

    /// <summary>Maps the routes.</summary>
    public static void MapOpenAi(this WebApplication app)
    {
        var shelf = app.Services.GetRequiredService<IModelShelf>();
        ServerLimits limits = app.Services.GetRequiredService<ServerOptions>().Limits;
        var reader = new ImageCallReader(shelf, app.Services.GetRequiredService<LoraCatalog>(), limits);
        var generation = new ImageGeneration(
            app.Services.GetRequiredService<IJobBoard>(),
            reader,
            new ImageEditReader(reader, app.Services.GetRequiredService<UploadStore>()),
            app.Services.GetRequiredService<LargeBodies>(),
            limits);
        var models = new ImageModels(shelf);
        var routes = new ClientRoutes(app, "/v1", "OpenAI", new ProblemForm(ImageErrors.Write));
        routes.Get("/models", "The models", models.ListAsync);
        routes.Get("/models/{id}", "One model", models.ReadAsync);
        routes.Post("/images/generations", "Paints pictures, and answers with them or with their addresses", generation.GenerateAsync);
        routes.Post("/images/edits", "Paints pictures from another one, and answers with them", generation.EditAsync, Forms);
        const string message = "images/variations is not supported: a picture without a prompt cannot be painted. Use /v1/images/edits.";
        routes.Post(
            "/images/variations",
            "Is refused: pictures need a prompt",
            _ => throw Problems.Make(422, "not-supported", message, field: "image"),
            Forms);
        routes.RefuseOthers();
    }
}

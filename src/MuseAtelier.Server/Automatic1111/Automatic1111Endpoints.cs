using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>The routes of AUTOMATIC1111's API.</summary>
internal static class Automatic1111Endpoints
{
    private const string Program = "AUTOMATIC1111";

    // What AUTOMATIC1111 lists and this server has none of.
    private static readonly string[] EmptyLists =
    [
        "sd-modules", "hypernetworks", "face-restorers", "realesrgan-models", "prompt-styles", "script-info", "extensions",
    ];

    private static readonly (string Route, string What)[] Missing =
    [
        ("extra-single-image", "enlarge pictures"),
        ("extra-batch-images", "enlarge pictures"),
        ("interrogate", "describe pictures in words"),
        ("unload-checkpoint", "close a model on demand; it closes those that its budget has no room for"),
        ("reload-checkpoint", "open a model on demand; it opens the one that a job needs"),
    ];

    /// <summary>Maps the routes.</summary>
    public static void MapAutomatic1111(this WebApplication app)
    {
        var shelf = app.Services.GetRequiredService<IModelShelf>();
        var options = app.Services.GetRequiredService<ServerOptions>();
        var board = app.Services.GetRequiredService<IJobBoard>();
        var store = new OptionStore(shelf, options.Atelier.VaeFile);
        var form = new ProblemForm(WriteError);
        var routes = new ClientRoutes(app, "/sdapi/v1", Program, form);
        var uploads = app.Services.GetRequiredService<UploadStore>();
        var upscalers = app.Services.GetRequiredService<UpscalerShelf>();
        var loras = app.Services.GetRequiredService<LoraCatalog>();
        var embeddings = app.Services.GetRequiredService<EmbeddingShelf>();
        var fields = new PaintingFields(
            shelf, store, new SourceCall(uploads, options.Limits), new SecondPass(upscalers, options.Limits), loras, options.Limits);
        var bodies = app.Services.GetRequiredService<LargeBodies>();
        MapPainting(routes, board, new TextToImage(board, fields, bodies, uploads, options.Limits), options.Limits);
        MapOptions(routes, store, options);
        MapLists(routes, shelf, upscalers);
        MapAdapters(routes, loras, embeddings, options.Atelier.VaeFile);
        routes.RefuseOthers();
        var others = new ClientRoutes(app, "/internal", Program, form);
        others.Get("/ping", "Answers that the server is there", context => WriteRawAsync(context, "{}"));
    }

    private static void MapPainting(ClientRoutes routes, IJobBoard board, TextToImage painting, ServerLimits limits)
    {
        routes.Post("/txt2img", "Paints pictures, and answers with them", painting.PaintAsync);
        routes.Post("/img2img", "Paints pictures from another one, and answers with them", painting.PaintOverAsync);
        var progress = new ProgressAnswer(board);
        routes.Get("/progress", "The progress of this API's job", progress.ReadAsync);
        routes.Post("/interrupt", "Stops this API's running job", progress.InterruptAsync);
        routes.Post("/skip", "Stops this API's running job", progress.SkipAsync);
        routes.Post("/png-info", "The settings in a picture's file", new PngInfo(limits).ReadAsync);
        foreach ((string route, string what) in Missing)
        {
            routes.Post($"/{route}", $"Is refused: the server does not {what}", _ =>
                throw Problems.Make(422, "not-supported", $"{route} is not supported: the server does not {what}."));
        }
    }

    private static void MapOptions(ClientRoutes routes, OptionStore store, ServerOptions server)
    {
        routes.Get("/options", "The options", context => JsonAnswer.WriteAsync(context, store.Write));
        routes.Post("/options", "Sets options, and chooses the model", async context =>
        {
            using JsonDocument body = await ClientBody.ReadObjectAsync(context, server.Limits.BodyBytes);
            store.Set(new ClientFields(body.RootElement));
            await JsonAnswer.WriteAsync(context, json => json.WriteNullValue());
        });
        routes.Get("/cmd-flags", "The switches of the command line", context =>
            JsonAnswer.WriteAsync(context, json => ServerFacts.WriteFlags(json, server)));
    }

    private static void MapLists(ClientRoutes routes, IModelShelf shelf, UpscalerShelf upscalers)
    {
        routes.Get("/sd-models", "The models", context =>
            JsonAnswer.WriteAsync(context, json => ModelNames.Write(json, shelf.Models)));
        routes.Post("/refresh-checkpoints", "Reads the folders of the models again", context =>
        {
            shelf.Refresh();
            return JsonAnswer.WriteAsync(context, json => json.WriteNullValue());
        });
        routes.Get("/samplers", "The samplers", context => JsonAnswer.WriteAsync(context, SamplerList.Write));
        routes.Get("/schedulers", "The schedules", context => JsonAnswer.WriteAsync(context, ListedSchedule.Write));
        routes.Get("/upscalers", "The upscalers of pictures", context =>
            JsonAnswer.WriteAsync(context, json => ServerFacts.WriteUpscalers(json, upscalers.All)));
        routes.Get("/latent-upscale-modes", "The upscalers of latents", context =>
            JsonAnswer.WriteAsync(context, ServerFacts.WriteLatentModes));
        routes.Get("/memory", "The memory in use", context =>
            JsonAnswer.WriteAsync(context, json => ServerFacts.WriteMemory(json, shelf.Sanctum)));
        foreach (string list in EmptyLists) routes.Get($"/{list}", "An empty list", context => WriteRawAsync(context, "[]"));
        routes.Get("/scripts", "The scripts: none", context => WriteRawAsync(context, """{"txt2img":[],"img2img":[]}"""));
    }

    private static void MapAdapters(ClientRoutes routes, LoraCatalog loras, EmbeddingShelf embeddings, string? vae)
    {
        routes.Get("/loras", "The LoRAs", context =>
            JsonAnswer.WriteAsync(context, json => AdapterLists.WriteLoras(json, loras.All())));
        routes.Post("/refresh-loras", "Lists the folders of LoRAs again", context =>
        {
            loras.Refresh();
            return WriteRawAsync(context, "null");
        });
        routes.Get("/embeddings", "The embeddings", context =>
            JsonAnswer.WriteAsync(context, json => AdapterLists.WriteEmbeddings(json, embeddings.All())));
        routes.Post("/refresh-embeddings", "Lists the folders of embeddings again", context =>
        {
            embeddings.Refresh();
            return WriteRawAsync(context, "null");
        });
        routes.Get("/sd-vae", "The VAE that replaces the models' own", context =>
            JsonAnswer.WriteAsync(context, json => AdapterLists.WriteVaes(json, vae)));
        routes.Post("/refresh-vae", "Changes nothing: the VAE is named when the server starts", context => WriteRawAsync(context, "null"));
    }

    private static Task WriteRawAsync(HttpContext context, string text) =>
        JsonAnswer.WriteAsync(context, json => json.WriteRawValue(text));

    // AUTOMATIC1111's form, in which clients look for detail, and this server's own beside it.
    private static void WriteError(Utf8JsonWriter json, int status, Problem problem)
    {
        json.WriteStartObject();
        json.WriteString("error", problem.Kind);
        json.WriteString("detail", problem.Message);
        json.WriteString("body", "");
        json.WriteString("errors", "");
        ProblemForm.WriteMember(json, problem);
        json.WriteEndObject();
    }
}

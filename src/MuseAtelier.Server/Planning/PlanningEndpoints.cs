using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Adapters;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Planning;

/// <summary>The routes that say what a request means before it is painted. A page calls them while its user types.</summary>
internal static class PlanningEndpoints
{
    private static readonly string[] TokenFields = ["prompt", "negativePrompt", "syntax", "model"];

    /// <summary>Adds the services.</summary>
    public static void AddPlanning(this WebApplicationBuilder builder) => builder.Services.AddSingleton<PlanBook>();

    /// <summary>Maps the routes.</summary>
    public static void MapPlanning(this WebApplication app)
    {
        RouteGroupBuilder routes = app.MapGroup("/api/v1").WithTags("Planning");
        routes.MapPost("/tokens", CountAsync)
            .WithSummary("Counts the tokens of both prompts; needs no open model.")
            .Produces<TokenCounts>();
        routes.MapPost("/plan", PlanAsync)
            .WithSummary("The time and the memory that a request is expected to take, without painting.")
            .Produces<PlanJson>();
    }

    private static async Task<IResult> CountAsync(
        HttpContext context, [FromServices] ServerOptions options, [FromServices] LoraCatalog loras)
    {
        using JsonDocument body = await JsonBody.ReadAsync(context, options.Limits.BodyBytes).ConfigureAwait(false);
        var fields = new RequestFields(body.RootElement, TokenFields);
        int most = options.Limits.PromptCharacters;
        string prompt = fields.Text("prompt", most) ?? "";
        string negative = fields.Text("negativePrompt", most) ?? "";
        PromptSyntax syntax = fields.Text("syntax", most) is { } word ? RequestReader.SyntaxOf(word) : PromptSyntax.A1111;
        // Every SDXL model has the same tokenizer, so that the model makes no difference.
        _ = fields.Text("model", most);
        try
        {
            var embeddings = EmbeddingFolder.Of(options.Atelier.EmbeddingFolders);
            TokenCounts counts = await TokenCounter
                .CountAsync(prompt, negative, syntax, loras, embeddings, context.RequestAborted).ConfigureAwait(false);
            return Results.Json(counts, WireJson.Options);
        }
        catch (PictureRequestException exception)
        {
            throw AdapterPaths.Hide(Problems.Of(exception), options.Atelier);
        }
        catch (MuseAtelierException exception)
        {
            throw AdapterPaths.Hide(Problems.Make(422, "bad-embedding", exception.Message, exception), options.Atelier);
        }
    }

    private static async Task<IResult> PlanAsync(
        HttpContext context,
        [FromServices] ServerOptions options,
        [FromServices] RequestReader reader,
        [FromServices] IModelShelf shelf,
        [FromServices] PlanBook plans)
    {
        using JsonDocument body = await JsonBody.ReadAsync(context, options.Limits.BodyBytes).ConfigureAwait(false);
        JobRequest request = await Task.Run(() => reader.Read(body.RootElement), context.RequestAborted).ConfigureAwait(false);
        ShelfModel model = ModelOf(request, shelf);
        PlanJson plan = await Task.Run(() => plans.Of(model, request.Picture, request.Count), context.RequestAborted).ConfigureAwait(false);
        return Results.Json(plan, WireJson.Options);
    }

    private static ShelfModel ModelOf(JobRequest request, IModelShelf shelf)
    {
        ShelfModel? model = request.Model is { } name ? shelf.Find(name) : shelf.Current;
        return model ?? throw Problems.Make(
            404, "no-such-model", "There is no such model; expected one of GET /api/v1/models. Choose another one.", inner: null, "model");
    }
}

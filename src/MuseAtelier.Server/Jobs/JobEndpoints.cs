using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Events;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Jobs;

/// <summary>The queue.</summary>
internal static class JobEndpoints
{
    private static readonly string[] MoveFields = ["place"];

    /// <summary>Adds the services.</summary>
    public static void AddJobs(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<JobSources>();
        builder.Services.AddSingleton<JobBoard>();
        builder.Services.AddSingleton<IJobBoard>(services => services.GetRequiredService<JobBoard>());
        builder.Services.AddHostedService(services => services.GetRequiredService<JobBoard>());
        builder.Services.AddSingleton<IStatePart, JobStatePart>();
        builder.Services.AddSingleton(services =>
        {
            IGallery gallery = services.GetRequiredService<IGallery>();
            ServerLimits limits = services.GetRequiredService<ServerOptions>().Limits;
            return new RequestReader(
                limits,
                id => gallery.Find(id)?.Record?.Request,
                new SourceFields(services.GetRequiredService<UploadStore>(), gallery.PathOf),
                new HiresFields(services.GetRequiredService<UpscalerShelf>(), limits),
                new LoraFields(services.GetRequiredService<LoraCatalog>()),
                services.GetRequiredService<EmbeddingShelf>());
        });
    }

    /// <summary>Maps the routes.</summary>
    public static void MapJobs(this WebApplication app)
    {
        RouteGroupBuilder jobs = app.MapGroup("/api/v1/jobs").WithTags("Jobs");
        jobs.MapPost("", AcceptAsync).WithSummary("Accepts a request; answers when the journal is on disk");
        jobs.MapGet("", List).WithSummary("The running job, those that wait, and those that ended");
        jobs.MapDelete("", ClearAsync).WithSummary("Removes all jobs that wait");
        jobs.MapGet("/{id}", Find).WithSummary("One job");
        jobs.MapDelete("/{id}", StopAsync).WithSummary("Removes a job that waits, or stops the running one within a step");
        jobs.MapPost("/{id}/move", MoveAsync).WithSummary("Moves a job that waits");
        jobs.MapGet("/{id}/preview", Preview).WithSummary("The newest preview of a running job");
    }

    private static async Task<IResult> AcceptAsync(HttpContext context, IJobBoard board, RequestReader reader, ServerOptions options)
    {
        using JsonDocument body = await JsonBody.ReadAsync(context, options.Limits.BodyBytes);
        JobRequest request = await Task.Run(() => reader.Read(body.RootElement), context.RequestAborted);
        Job job = await board.AcceptAsync(request, context.RequestAborted);
        context.Response.Headers.Location = $"/api/v1/jobs/{job.Id}";
        return Answer(JobJson.Write(job), StatusCodes.Status202Accepted);
    }

    private static IResult List(IJobBoard board) => Answer(JobJson.Write(board.Jobs));

    private static async Task<IResult> ClearAsync(IJobBoard board) => Answer(JobJson.Write(await board.ClearAsync()));

    private static IResult Find(string id, IJobBoard board) => Answer(id, board.Find(id));

    private static async Task<IResult> StopAsync(string id, IJobBoard board) => Answer(id, await board.StopAsync(id));

    private static async Task<IResult> MoveAsync(string id, HttpContext context, IJobBoard board, ServerOptions options)
    {
        using JsonDocument body = await JsonBody.ReadAsync(context, options.Limits.BodyBytes);
        int place = new RequestFields(body.RootElement, MoveFields).Whole("place", 0)
            ?? throw Problems.BadValue("place", "there is no place", "a whole number from 0", "Send one.");
        return Answer(id, await board.MoveAsync(id, place));
    }

    private static IResult Preview(string id, HttpContext context, IJobBoard board)
    {
        if (board.Find(id) is null) throw NoSuchJob();
        PreviewImage preview = board.Preview(id) ?? throw Problems.Make(
            404, "no-such-picture", "The job has no preview; a job has one while it is painted. Ask again after its next step.");
        context.Response.Headers.CacheControl = "no-store";
        return Results.Bytes(preview.File, preview.MediaType);
    }

    private static IResult Answer(string id, Job? job) => job is null ? throw NoSuchJob() : Answer(JobJson.Write(job));

    private static IResult Answer(JsonObject json, int status = StatusCodes.Status200OK) =>
        Results.Json(json, WireJson.Options, statusCode: status);

    private static ServerRequestException NoSuchJob() =>
        Problems.Make(404, "no-such-job", "There is no such job, or it ended long ago. GET /api/v1/jobs lists those that are known.");
}

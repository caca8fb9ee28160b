using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MuseAtelier.Server.Requests;

/// <summary>Answers every exception of a route, and every status without a body, with a problem.</summary>
internal static partial class ProblemAnswers
{
    /// <summary>Adds the middleware; it must come before everything that may throw.</summary>
    public static void UseProblems(this WebApplication app)
    {
        ILogger log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("MuseAtelier.Server");
        app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
                await CompleteAsync(context);
            }
            catch (Exception exception) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
            {
                ServerRequestException answer = Problems.Of(exception);
                if (answer.Status == StatusCodes.Status500InternalServerError) LogFailure(log, context.Request.Path, exception);
                await WriteAsync(context, answer.Status, answer.Problem);
            }
            catch (Exception exception) when (context.RequestAborted.IsCancellationRequested)
            {
                // Nobody reads the answer any more.
                LogAborted(log, context.Request.Path, exception.GetType().Name);
            }
        });
    }

    /// <summary>Writes a problem as the whole answer.</summary>
    public static Task WriteAsync(HttpContext context, int status, Problem problem)
    {
        context.Response.Clear();
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new { problem }, WireJson.Options);
    }

    // Routing answers unknown routes and methods without a body.
    private static Task CompleteAsync(HttpContext context)
    {
        HttpResponse response = context.Response;
        bool isBare = !response.HasStarted && response.ContentLength is null && response.ContentType is null;
        if (!isBare) return Task.CompletedTask;
        return response.StatusCode switch
        {
            StatusCodes.Status404NotFound => WriteBareAsync(
                context, "no-such-route", $"There is no {context.Request.Path}. The page /docs shows the routes."),
            StatusCodes.Status405MethodNotAllowed => WriteBareAsync(
                context, "no-such-route", $"{context.Request.Path} has no method {context.Request.Method}. The page /docs shows the routes."),
            StatusCodes.Status415UnsupportedMediaType => WriteBareAsync(
                context, "bad-json", "The body has another type; expected application/json. Send JSON with this Content-Type."),
            StatusCodes.Status400BadRequest => WriteBareAsync(
                context, "bad-value", "The address has a value that cannot be read. The page /docs shows what the route takes."),
            _ => Task.CompletedTask,
        };
    }

    private static Task WriteBareAsync(HttpContext context, string kind, string message)
    {
        // Keeps headers such as Allow, which say more.
        var problem = new Problem { Kind = kind, Message = message };
        return context.Response.WriteAsJsonAsync(new { problem }, WireJson.Options);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} failed")]
    private static partial void LogFailure(ILogger log, string path, Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Path} ended because the client went away ({Exception})")]
    private static partial void LogAborted(ILogger log, string path, string exception);
}

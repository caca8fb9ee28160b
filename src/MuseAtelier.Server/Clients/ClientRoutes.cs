using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Clients;

/// <summary>The routes of another program's API. Whatever an answer throws becomes an error in that program's form.</summary>
/// <param name="group">The routes' common beginning.</param>
/// <param name="refuse">Writes an error in the program's form; the status is set.</param>
internal sealed partial class ClientRoutes(RouteGroupBuilder group, Func<HttpContext, Problem, Task> refuse)
{
    /// <summary>Maps a route that is read.</summary>
    public void Get(string pattern, string summary, Func<HttpContext, Task> answer) =>
        group.MapGet(pattern, Guarded(answer)).WithSummary(summary);

    /// <summary>Maps a route that is posted to.</summary>
    public void Post(string pattern, string summary, Func<HttpContext, Task> answer) =>
        group.MapPost(pattern, Guarded(answer)).WithSummary(summary);

    // As a delegate of no certain type, the handler is described in the OpenAPI document.
    private Delegate Guarded(Func<HttpContext, Task> answer) => (HttpContext context) => GuardAsync(context, answer);

    private async Task GuardAsync(HttpContext context, Func<HttpContext, Task> answer)
    {
        try
        {
            await answer(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has left: nobody reads an answer.
        }
        catch (Exception exception)
        {
            ServerRequestException refused = Problems.Of(exception);
            var logger = context.RequestServices.GetRequiredService<ILogger<ClientRoutes>>();
            bool isUnexpected = refused.Status >= 500 && exception is not ServerRequestException;
            if (isUnexpected) LogFailure(logger, context.Request.Path, exception);
            await RefuseAsync(context, refused);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A request to {Path} failed.")]
    private static partial void LogFailure(ILogger logger, PathString path, Exception exception);

    private async Task RefuseAsync(HttpContext context, ServerRequestException refused)
    {
        // What the client has received cannot be taken back: a connection that breaks is better than an answer that looks complete.
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.Clear();
        context.Response.StatusCode = refused.Status;
        await refuse(context, refused.Problem);
    }
}

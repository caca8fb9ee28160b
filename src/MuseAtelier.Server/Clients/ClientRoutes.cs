using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace MuseAtelier.Server.Clients;

/// <summary>The routes of another program's API, whose errors have that program's form.</summary>
internal sealed class ClientRoutes
{
    private readonly RouteGroupBuilder _group;

    /// <summary>Begins the routes.</summary>
    /// <param name="app">The server.</param>
    /// <param name="root">The routes' common beginning.</param>
    /// <param name="program">The program's name in the API's description.</param>
    /// <param name="form">The form of errors.</param>
    public ClientRoutes(WebApplication app, string root, string program, ProblemForm form) =>
        _group = app.MapGroup(root).WithTags(program).WithMetadata(form);

    /// <summary>Maps a route that is read.</summary>
    public void Get(string pattern, string summary, Func<HttpContext, Task> answer) =>
        _group.MapGet(pattern, Described(answer)).WithSummary(summary);

    /// <summary>Maps a route that is posted to.</summary>
    /// <param name="pattern">The rest of its address.</param>
    /// <param name="summary">What it does.</param>
    /// <param name="answer">Answers a request.</param>
    /// <param name="metadata">What else is to be known of the route.</param>
    public void Post(string pattern, string summary, Func<HttpContext, Task> answer, params object[] metadata) =>
        _group.MapPost(pattern, Described(answer)).WithSummary(summary).WithMetadata(metadata);

    /// <summary>Answers all other addresses that begin as these routes do with 404.</summary>
    public void RefuseOthers() => _group.MapFallback("/{**rest}", context =>
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    });

    // A delegate of no certain type is described in the OpenAPI document.
    private static Delegate Described(Func<HttpContext, Task> answer) => (HttpContext context) => answer(context);
}

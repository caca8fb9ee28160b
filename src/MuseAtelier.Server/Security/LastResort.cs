using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MuseAtelier.Server.Security;

/// <summary>
/// Turns what routes throw, and statuses without a body, into problems. A failure that nobody expected is logged; the client is told
/// nothing of its cause.
/// </summary>
internal sealed partial class LastResort(RequestDelegate next, ILogger<LastResort> logger)
{
    /// <summary>Runs the rest of the pipeline.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context).ConfigureAwait(false);
            if (IsBare(context.Response) && ProblemOf(context) is { } problem)
                await ProblemAnswer.WriteAsync(context, context.Response.StatusCode, problem).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone, or the server ended its connection.
        }
#pragma warning disable CA1031 // Nothing above catches it, and the client needs an answer.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await AnswerAsync(context, exception).ConfigureAwait(false);
        }
    }

    private static bool IsBare(HttpResponse response) =>
        response is { HasStarted: false, StatusCode: >= StatusCodes.Status400BadRequest, ContentLength: null, ContentType: null };

    private static ServerRequestException Answer(Exception exception) =>
        exception is BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } late
            ? Problems.Make(
                late.StatusCode, "too-slow", "The body came too slowly; expected at least 4 KiB a second. Send it again.", exception)
            : Problems.Of(exception);

    private static Problem? ProblemOf(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status400BadRequest => new Problem
        {
            Kind = "bad-value",
            Message = "The address holds a value that cannot be read; expected what /openapi/v1.json says. Correct it.",
        },
        StatusCodes.Status404NotFound => new Problem
        {
            Kind = "no-such-route",
            Message = "There is nothing at this address; expected a route of /openapi/v1.json. Check the spelling.",
        },
        StatusCodes.Status405MethodNotAllowed => new Problem
        {
            Kind = "no-such-method",
            Message = $"This route has no method {Shown(context.Request.Method)}; expected {context.Response.Headers.Allow}. "
                + "Use one of them.",
        },
        StatusCodes.Status415UnsupportedMediaType => ContentTypeRule.Refusal(context.Request),
        _ => null,
    };

    // Methods are tokens of HTTP, which hold no control characters.
    private static string Shown(string method) => method.Length <= 16 ? method : $"{method[..16]}...";

    [LoggerMessage(500, LogLevel.Error, "{Method} {Path} failed.", EventName = "RequestFailed")]
    private static partial void Unexpected(ILogger logger, string method, string path, Exception exception);

    private async Task AnswerAsync(HttpContext context, Exception exception)
    {
        ServerRequestException answer = Answer(exception);
        if (answer.Status == StatusCodes.Status500InternalServerError)
            Unexpected(logger, context.Request.Method, context.Request.Path.Value ?? "", exception);
        if (context.Response.HasStarted)
        {
            // The client must not take half an answer for a whole one.
            context.Abort();
            return;
        }

        // Headers of the failed answer, such as a content type, must not describe the problem.
        context.Response.Clear();
        await ProblemAnswer.WriteAsync(context, answer.Status, answer.Problem).ConfigureAwait(false);
    }
}

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
        catch (ServerRequestException exception) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, exception.Status, exception.Problem).ConfigureAwait(false);
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, exception.StatusCode, ProblemOf(exception)).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Nothing above catches it, and the client needs an answer.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Unexpected(logger, context.Request.Method, context.Request.Path.Value ?? "", exception);
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            const string message = "The server failed at this request; expected an answer. Its log states the cause. Try again, and report "
                + "it if it happens again.";
            var problem = new Problem { Kind = "failed", Message = message };
            await AnswerAsync(context, StatusCodes.Status500InternalServerError, problem).ConfigureAwait(false);
        }
    }

    // Headers of the failed answer, such as a content type, must not describe the problem.
    private static Task AnswerAsync(HttpContext context, int status, Problem problem)
    {
        context.Response.Clear();
        AnswerHeaders.Set(context.Response);
        return ProblemAnswer.WriteAsync(context, status, problem);
    }

    private static bool IsBare(HttpResponse response) =>
        response is { HasStarted: false, StatusCode: >= StatusCodes.Status400BadRequest, ContentLength: null, ContentType: null };

    private static Problem? ProblemOf(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => new Problem
        {
            Kind = "no-such-route",
            Message = "There is nothing at this address; expected a route of /openapi/v1.json. Check the spelling.",
        },
        StatusCodes.Status405MethodNotAllowed => new Problem
        {
            Kind = "no-such-method",
            Message = $"This route has no method {Shown(context.Request.Method)}; expected {context.Response.Headers.Allow}. Use one of them.",
        },
        StatusCodes.Status415UnsupportedMediaType => ContentTypeRule.Refusal(context.Request),
        _ => null,
    };

    private static Problem ProblemOf(BadHttpRequestException exception) => exception.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => new Problem
        {
            Kind = "body-too-large",
            Message = "The body is larger than this route accepts; expected at most the limits of GET /api/v1/state. Send less.",
        },
        StatusCodes.Status408RequestTimeout => new Problem
        {
            Kind = "too-slow",
            Message = "The body arrived too slowly; expected at least 4 KiB a second. Send it again over a faster connection.",
        },
        _ => new Problem
        {
            Kind = "bad-request",
            Message = "The request cannot be read; expected HTTP with a body of the stated length. Send it again.",
        },
    };

    // Methods are tokens of HTTP, which hold no control characters.
    private static string Shown(string method) => method.Length <= 16 ? method : $"{method[..16]}...";

    [LoggerMessage(500, LogLevel.Error, "{Method} {Path} failed.", EventName = "RequestFailed")]
    private static partial void Unexpected(ILogger logger, string method, string path, Exception exception);
}

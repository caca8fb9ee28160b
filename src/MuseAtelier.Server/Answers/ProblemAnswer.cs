using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace MuseAtelier.Server;

/// <summary>Writes a problem as the answer to a request, in the form of the API that was asked.</summary>
internal static class ProblemAnswer
{
    /// <summary>Writes the problem with a status. The answer must not have begun.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The status, 400 to 599.</param>
    /// <param name="problem">What the client is told.</param>
    public static async Task WriteAsync(HttpContext context, int status, Problem problem)
    {
        ProblemForm? form = context.GetEndpoint()?.Metadata.GetMetadata<ProblemForm>();
        byte[] body = form?.BodyOf(status, problem) ?? JsonSerializer.SerializeToUtf8Bytes(new { problem }, WireJson.Options);
        HttpResponse response = context.Response;
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }
}

using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace MuseAtelier.Server;

/// <summary>Writes a problem as the answer to a request.</summary>
internal static class ProblemAnswer
{
    /// <summary>Writes the problem with a status. The answer must not have begun.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The status, 400 to 599.</param>
    /// <param name="problem">What the client is told.</param>
    public static async Task WriteAsync(HttpContext context, int status, Problem problem)
    {
        byte[] body = Serialize(problem);
        HttpResponse response = context.Response;
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }

    private static byte[] Serialize(Problem problem)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("problem");
            json.WriteString("kind", problem.Kind);
            json.WriteString("message", problem.Message);
            if (problem.Field is { } field) json.WriteString("field", field);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}

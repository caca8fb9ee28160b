using System.Text;
using System.Text.Json;

namespace MuseAtelier.Storms.Requests;

/// <summary>What is wrong with an answer.</summary>
internal static class AnswerCheck
{
    private static readonly byte[][] Forbidden =
    [
        Encoding.UTF8.GetBytes(FuzzedServer.Secret),
        [.. "root:x:0:0:"u8],
    ];

    /// <summary>Returns the kind of the fault and what was found; null if nothing is wrong.</summary>
    /// <param name="request">The request.</param>
    /// <param name="answer">Its answer.</param>
    /// <param name="outside">The folder outside of the gallery, which no answer names.</param>
    public static (string Kind, string What)? Find(FuzzedRequest request, RawAnswer answer, string outside)
    {
        // What is not ready says 503, and another version of HTTP gets 505.
        bool isMeant =
            (answer.Status == 503 && request.Target.StartsWith("/health", StringComparison.Ordinal))
            || (answer.Status == 505 && request.IsBroken);
        if (answer.Status is < 200 or >= 500 && !isMeant)
            return ("status", answer.ToString());
        foreach (byte[] words in Forbidden)
            if (answer.Body.AsSpan().IndexOf(words) >= 0)
                return ("outside", answer.ToString());
        string text = answer.Status >= 400 ? Encoding.UTF8.GetString(answer.Body) : "";
        if (text.Contains("   at ", StringComparison.Ordinal) || text.Contains("Exception", StringComparison.Ordinal))
            return ("trace", answer.ToString());
        if (text.Contains($"{outside}/outside", StringComparison.Ordinal) || text.Contains($"{outside}/cache", StringComparison.Ordinal))
            return ("path", answer.ToString());
        bool changes = request.Method is "POST" or "PUT" or "PATCH" or "DELETE";
        if (request.IsForeign && changes && answer.Status < 400)
            return ("foreign", answer.ToString());
        bool isRouted = request.Target.StartsWith("/api/v1/", StringComparison.Ordinal) && !request.IsBroken && request.Method != "HEAD";
        if (isRouted && answer.Status >= 400 && answer.Body.Length > 0 && !IsProblem(answer.Body))
            return ("form", answer.ToString());
        return null;
    }

    private static bool IsProblem(byte[] body)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(body);
            JsonElement problem = json.RootElement.GetProperty("problem");
            return Says("kind") && Says("message");

            bool Says(string name) => problem.GetProperty(name).GetString() is { Length: > 0 };
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return false;
        }
    }
}

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace MuseAtelier.Server.Security;

/// <summary>
/// Which types of bodies are accepted. Pages of other sites can send text and forms without asking first, so only routes that declare
/// these types take them.
/// </summary>
internal static class ContentTypeRule
{
    /// <summary>Whether the body's type is accepted. A request without a body needs no type.</summary>
    public static bool Accepts(HttpContext context)
    {
        HttpRequest request = context.Request;
        bool hasBody = request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0;
        if (!hasBody || HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) return true;
        string type = TypeOf(request);
        if (type is "application/json" || type.StartsWith("image/", StringComparison.Ordinal)) return true;
        // Browsers ask before they send this type to another site, as they do for pictures.
        if (type is "application/octet-stream") return true;
        IAcceptsMetadata? accepted = context.GetEndpoint()?.Metadata.GetMetadata<IAcceptsMetadata>();
        return accepted?.ContentTypes.Contains(type, StringComparer.OrdinalIgnoreCase) == true;
    }

    /// <summary>What a client is told whose body has another type.</summary>
    public static Problem Refusal(HttpRequest request)
    {
        string type = TypeOf(request);
        string found = type.Length == 0 ? "The body has no content type" : $"The body's content type is {Shown(type)}";
        return new Problem { Kind = "bad-content-type", Message = $"{found}; expected application/json. Set the header Content-Type." };
    }

    private static string TypeOf(HttpRequest request)
    {
        string type = request.ContentType ?? "";
        int end = type.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? type : type[..end]).Trim().ToLowerInvariant();
    }

    private static string Shown(string type) => type.Length <= 64 ? type : $"{type[..64]}...";
}

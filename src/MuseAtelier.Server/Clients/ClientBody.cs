using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Clients;

/// <summary>Reads the bodies of other programs' requests: JSON objects of bounded size, whose texts are valid Unicode.</summary>
internal static class ClientBody
{
    private const int Deepest = 32;

    /// <summary>Reads a body that is a JSON object.</summary>
    /// <param name="context">The request.</param>
    /// <param name="mostBytes">The most bytes that it may have.</param>
    /// <exception cref="ServerRequestException">It is too large, or not such an object.</exception>
    public static async Task<JsonDocument> ReadObjectAsync(HttpContext context, int mostBytes)
    {
        var limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (limit is { IsReadOnly: false }) limit.MaxRequestBodySize = mostBytes + 1L;
        return Parse(await JsonBody.ReadBytesAsync(context, mostBytes));
    }

    /// <summary>Reads JSON in which every text is valid Unicode, so that reading its members cannot fail.</summary>
    /// <param name="bytes">The JSON.</param>
    /// <exception cref="ServerRequestException">It is not a JSON object, or has a member twice.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            if (!Utf8.IsValid(bytes.Span)) throw Problems.Make(400, "bad-json", "The body is not valid UTF-8. Send it as UTF-8.");
            CheckEscapes(bytes.Span);
            var options = new JsonDocumentOptions { MaxDepth = Deepest, AllowDuplicateProperties = false };
            var document = JsonDocument.Parse(bytes, options);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            throw Problems.Make(400, "bad-json", "The body is JSON, but not an object; expected {…}. Send the fields as members.");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Problems.Make(400, "bad-json", "The body cannot be read as JSON. Check it, and send it again.", exception);
        }
    }

    // Escapes may name halves of surrogate pairs, which only reading the text finds.
    private static void CheckEscapes(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = Deepest });
        while (reader.Read())
        {
            bool isText = reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName;
            if (isText && reader.ValueIsEscaped) reader.GetString();
        }
    }
}

using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace MuseAtelier.Server.Requests;

/// <summary>Reads the body of a request as JSON, within a limit.</summary>
internal static class JsonBody
{
    private const int StartBytes = 4096;

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>Reads the body. The caller disposes the document.</summary>
    /// <param name="context">The request.</param>
    /// <param name="mostBytes">The most bytes of the body.</param>
    /// <exception cref="ServerRequestException">The body is too large, or it is no JSON.</exception>
    public static async Task<JsonDocument> ReadAsync(HttpContext context, int mostBytes) =>
        Parse(await ReadBytesAsync(context, mostBytes));

    /// <summary>Reads the body as it is.</summary>
    /// <param name="context">The request.</param>
    /// <param name="mostBytes">The most bytes of the body.</param>
    /// <exception cref="ServerRequestException">The body is too large.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(HttpContext context, int mostBytes)
    {
        HttpRequest request = context.Request;
        if (request.ContentLength > mostBytes) throw TooLarge(mostBytes);
        byte[] body = new byte[request.ContentLength is { } stated ? (int)stated : StartBytes];
        int length = 0;
        while (true)
        {
            if (length == body.Length)
            {
                // One byte beyond the limit tells whether the body is too large.
                int room = (int)Math.Min(Math.Max(body.Length, StartBytes) * 2L, mostBytes + 1L);
                if (room <= length) throw TooLarge(mostBytes);
                Array.Resize(ref body, room);
            }

            int read = await request.Body.ReadAsync(body.AsMemory(length), context.RequestAborted);
            if (read == 0) break;
            length += read;
            if (length > mostBytes) throw TooLarge(mostBytes);
        }

        return body.AsMemory(0, length);
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty)
            throw Problems.Make(400, "bad-json", "The body is empty; expected a JSON object. Send one such as {\"prompt\": \"…\"}.");
        try
        {
            return JsonDocument.Parse(body, Reading);
        }
        // InvalidOperationException: a name has an escape of half a character.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            string place = exception is JsonException { LineNumber: { } line } at
                ? $" at line {line + 1}, byte {at.BytePositionInLine + 1}"
                : "";
            throw Problems.Make(
                400, "bad-json", $"The body is no JSON{place}; expected an object whose names are all different. Check it.", exception);
        }
    }

    private static ServerRequestException TooLarge(int mostBytes) => Problems.Make(
        413, "body-too-large", $"The body is larger than {mostBytes} bytes; expected at most as many. Send a smaller one.");
}

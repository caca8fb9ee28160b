using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace MuseAtelier.Server.Clients;

/// <summary>
/// An answer that is written as JSON while it comes into being. Pictures are written in base64 piece by piece, so that no text of a whole
/// picture is made. Nothing is sent before the first call of <see cref="SendAsync"/>.
/// </summary>
internal sealed class JsonAnswer : IAsyncDisposable
{
    // A multiple of 3, so that the pieces of base64 follow each other without padding.
    private const int PieceBytes = 48 * 1024;

    // Answers are never part of an HTML page, so that only what JSON itself requires is escaped.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly HttpResponse _response;

    /// <summary>Begins an answer.</summary>
    /// <param name="response">Where it is written.</param>
    /// <param name="mediaType">Its type.</param>
    public JsonAnswer(HttpResponse response, string mediaType = "application/json; charset=utf-8")
    {
        _response = response;
        if (!response.HasStarted) response.ContentType = mediaType;
        Json = new Utf8JsonWriter(response.BodyWriter, Writing);
    }

    /// <summary>Writes the JSON.</summary>
    public Utf8JsonWriter Json { get; }

    /// <summary>Writes and sends a small answer.</summary>
    /// <param name="context">The request.</param>
    /// <param name="write">Writes the JSON.</param>
    public static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        await using var answer = new JsonAnswer(context.Response);
        write(answer.Json);
        await answer.SendAsync(context.RequestAborted);
    }

    /// <summary>JSON as a text, for answers that hold JSON as a text.</summary>
    /// <param name="write">Writes the JSON.</param>
    public static string TextOf(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Writing)) write(json);
        return System.Text.Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>Writes a file as a text in base64, and sends what is written so far.</summary>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Ends the call when the client has left.</param>
    public async Task WriteFileAsync(ReadOnlyMemory<byte> file, CancellationToken cancellationToken)
    {
        for (int at = 0; ; at += PieceBytes)
        {
            bool isLast = file.Length - at <= PieceBytes;
            ReadOnlyMemory<byte> piece = isLast ? file[at..] : file.Slice(at, PieceBytes);
            Json.WriteBase64StringSegment(piece.Span, isLast);
            await SendAsync(cancellationToken);
            if (isLast) return;
        }
    }

    /// <summary>Sends what is written so far.</summary>
    /// <param name="cancellationToken">Ends the call when the client has left.</param>
    public async Task SendAsync(CancellationToken cancellationToken)
    {
        await Json.FlushAsync(cancellationToken);
        await _response.BodyWriter.FlushAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Json.DisposeAsync();
}

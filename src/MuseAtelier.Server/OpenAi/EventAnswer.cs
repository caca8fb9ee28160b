using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Server.Clients;

namespace MuseAtelier.Server.OpenAi;

/// <summary>An answer of server-sent events whose data is JSON. It begins with the first event.</summary>
/// <param name="response">Where it is written.</param>
internal sealed class EventAnswer(HttpResponse response)
{
    /// <summary>Sends an event.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="file">A picture, written as the member <c>b64_json</c> of an object; null if the event has none.</param>
    /// <param name="write">Writes the object's other members; without a picture, the whole data.</param>
    /// <param name="cancellationToken">Ends the call when the client has left.</param>
    public async Task SendAsync(
        string type, ReadOnlyMemory<byte>? file, Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        if (!response.HasStarted) response.Headers.CacheControl = "no-cache";
        response.BodyWriter.Write(Encoding.UTF8.GetBytes($"event: {type}\ndata: "));
        await using (var data = new JsonAnswer(response, "text/event-stream; charset=utf-8"))
        {
            if (file is { } picture)
            {
                data.Json.WriteStartObject();
                write(data.Json);
                data.Json.WritePropertyName("b64_json");
                await data.WriteFileAsync(picture, cancellationToken);
                data.Json.WriteEndObject();
            }
            else
            {
                write(data.Json);
            }
        }

        response.BodyWriter.Write("\n\n"u8);
        await response.BodyWriter.FlushAsync(cancellationToken);
    }
}

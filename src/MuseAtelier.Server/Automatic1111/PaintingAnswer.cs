using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>
/// The answer of txt2img and img2img: the pictures in base64, each sent when it is finished, then what was asked for and what was painted.
/// </summary>
/// <param name="response">Where it is written.</param>
/// <param name="call">What was asked for.</param>
/// <param name="uploads">Has the picture and the mask of img2img.</param>
internal sealed class PaintingAnswer(HttpResponse response, PaintingCall call, UploadStore uploads) : IAsyncDisposable
{
    private readonly List<FinishedPicture> _finished = [];
    private JsonAnswer? _answer;

    /// <summary>When the job was accepted.</summary>
    public DateTimeOffset Accepted { get; set; } = DateTimeOffset.UtcNow;

    /// <summary>Adds a finished picture.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="cancellationToken">Ends the call when the client has left.</param>
    public async Task AddAsync(FinishedPicture picture, CancellationToken cancellationToken)
    {
        // File and source are not needed once the picture is sent, and many of them are large.
        _finished.Add(picture with { File = default, Request = picture.Request with { Source = null } });
        if (!call.SendsPictures) return;
        _answer ??= Begin();
        await _answer.WriteFileAsync(picture.File, cancellationToken);
    }

    /// <summary>Ends the answer.</summary>
    /// <param name="cancellationToken">Ends the call when the client has left.</param>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        _answer ??= Begin();
        Utf8JsonWriter json = _answer.Json;
        json.WriteEndArray();
        json.WritePropertyName("parameters");
        ParameterEcho.Write(json, call, uploads);
        json.WriteString("info", JsonAnswer.TextOf(text => PaintingInfo.Write(text, call, _finished, Accepted)));
        json.WriteEndObject();
        await _answer.SendAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _answer?.DisposeAsync() ?? ValueTask.CompletedTask;

    private JsonAnswer Begin()
    {
        var answer = new JsonAnswer(response);
        answer.Json.WriteStartObject();
        answer.Json.WriteStartArray("images");
        return answer;
    }
}

using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;

namespace MuseAtelier.Server.OpenAi;

/// <summary>Paints for a client that waits: images/generations and images/edits.</summary>
/// <param name="board">Runs the job.</param>
/// <param name="reader">Reads calls of generations.</param>
/// <param name="edits">Reads calls of edits.</param>
/// <param name="bodies">Reads bodies that hold pictures.</param>
/// <param name="limits">The limits of bodies.</param>
internal sealed class ImageGeneration(
    IJobBoard board, ImageCallReader reader, ImageEditReader edits, LargeBodies bodies, ServerLimits limits)
{
    /// <summary>Answers a call of generations. A client that leaves ends its job.</summary>
    public async Task GenerateAsync(HttpContext context)
    {
        using JsonDocument body = await ClientBody.ReadObjectAsync(context, limits.BodyBytes);
        await AnswerOrStreamAsync(context, reader.Read(body.RootElement));
    }

    /// <summary>Answers a call of edits in the same way. Its body is not kept while the job waits.</summary>
    public async Task EditAsync(HttpContext context) =>
        await AnswerOrStreamAsync(context, await bodies.ReadFormAsync(context, edits.Read));

    /// <summary>The refusal of a call whose job another client stopped.</summary>
    public static ServerRequestException Stopped() => Problems.Make(
        409, "stopping", "The job was stopped by another client, or the server is stopping. Send the request again.");

    private async Task AnswerOrStreamAsync(HttpContext context, ImageCall call)
    {
        try
        {
            if (call.Streams) await new ImageStream(board, context, call).RunAsync();
            else await AnswerAsync(context, call);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw Stopped();
        }
    }

    private async Task AnswerAsync(HttpContext context, ImageCall call)
    {
        CancellationToken left = context.RequestAborted;
        DateTimeOffset accepted = DateTimeOffset.UtcNow;
        JsonAnswer? answer = null;
        try
        {
            await board.RunAsync(call.Job, accepted: job => accepted = job.Accepted, AddAsync, left);
            answer ??= Begin(context, call, accepted);
            answer.Json.WriteEndArray();
            ImageUsage.Write(answer.Json, call.Job.Picture);
            answer.Json.WriteEndObject();
            await answer.SendAsync(left);
        }
        finally
        {
            if (answer is not null) await answer.DisposeAsync();
        }

        async Task AddAsync(FinishedPicture picture)
        {
            answer ??= Begin(context, call, accepted);
            await WritePictureAsync(answer, context, call, picture);
        }
    }

    private static JsonAnswer Begin(HttpContext context, ImageCall call, DateTimeOffset accepted)
    {
        var answer = new JsonAnswer(context.Response);
        answer.Json.WriteStartObject();
        answer.Json.WriteNumber("created", accepted.ToUnixTimeSeconds());
        answer.Json.WriteString("background", "opaque");
        answer.Json.WriteString("output_format", ImageFormats.WordOf(call.Job.Format));
        answer.Json.WriteString("quality", call.Quality);
        answer.Json.WriteString("size", call.Size);
        answer.Json.WriteStartArray("data");
        return answer;
    }

    private static async Task WritePictureAsync(JsonAnswer answer, HttpContext context, ImageCall call, FinishedPicture picture)
    {
        answer.Json.WriteStartObject();
        answer.Json.WriteString("seed", picture.Request.Seed.ToString(CultureInfo.InvariantCulture));
        if (call.SendsAddresses)
        {
            HttpRequest request = context.Request;
            string root = $"{request.Scheme}://{request.Host}{request.PathBase}";
            answer.Json.WriteString("url", $"{root}/api/v1/pictures/{Uri.EscapeDataString(picture.Id ?? "")}/file");
        }
        else
        {
            answer.Json.WritePropertyName("b64_json");
            await answer.WriteFileAsync(picture.File, context.RequestAborted);
        }

        answer.Json.WriteEndObject();
    }
}

using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>Paints for a client that waits: txt2img and img2img.</summary>
/// <param name="board">Runs the job.</param>
/// <param name="fields">Reads the call.</param>
/// <param name="bodies">Reads bodies that hold pictures.</param>
/// <param name="uploads">Has the pictures that are painted over.</param>
/// <param name="limits">The limits of bodies.</param>
internal sealed class TextToImage(
    IJobBoard board, PaintingFields fields, LargeBodies bodies, UploadStore uploads, ServerLimits limits)
{
    /// <summary>Answers txt2img. A client that leaves ends its job; another client's interrupt ends it with the pictures so far.</summary>
    public async Task PaintAsync(HttpContext context)
    {
        using JsonDocument body = await ClientBody.ReadObjectAsync(context, limits.BodyBytes);
        await AnswerAsync(context, fields.Read(body.RootElement));
    }

    /// <summary>Answers img2img in the same way. Its body is not kept while the job waits.</summary>
    public async Task PaintOverAsync(HttpContext context) =>
        await AnswerAsync(context, await bodies.ReadObjectAsync(context, body => fields.Read(body, isOver: true)));

    private async Task AnswerAsync(HttpContext context, PaintingCall call)
    {
        CancellationToken left = context.RequestAborted;
        await using var answer = new PaintingAnswer(context.Response, call, uploads);
        try
        {
            await board.RunAsync(call.Job, job => answer.Accepted = job.Accepted, picture => answer.AddAsync(picture, left), left);
        }
        catch (OperationCanceledException) when (!left.IsCancellationRequested)
        {
            // Interrupted: the answer has the pictures that are finished.
        }

        await answer.EndAsync(left);
    }
}

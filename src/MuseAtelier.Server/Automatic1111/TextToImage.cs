using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>Paints for a client that waits: txt2img, and img2img as far as it is there.</summary>
/// <param name="board">Runs the job.</param>
/// <param name="fields">Reads the call.</param>
/// <param name="limits">The limits of bodies.</param>
internal sealed class TextToImage(IJobBoard board, PaintingFields fields, ServerLimits limits)
{
    /// <summary>Answers txt2img. A client that leaves ends its job; another client's interrupt ends it with the pictures so far.</summary>
    public async Task PaintAsync(HttpContext context)
    {
        using JsonDocument body = await ClientBody.ReadObjectAsync(context, limits.BodyBytes);
        PaintingCall call = fields.Read(body.RootElement);
        CancellationToken left = context.RequestAborted;
        await using var answer = new PaintingAnswer(context.Response, call);
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

    /// <summary>Answers img2img, which cannot be painted yet.</summary>
    public async Task PaintOverAsync(HttpContext context)
    {
        // The pictures in the body are in base64, which takes 4 characters for 3 bytes.
        using JsonDocument body = await ClientBody.ReadObjectAsync(context, (limits.UploadBytes / 3 * 4) + limits.BodyBytes);
        bool hasPictures = body.RootElement.TryGetProperty("init_images", out JsonElement pictures)
            && pictures.ValueKind == JsonValueKind.Array && pictures.GetArrayLength() > 0;
        if (!hasPictures) throw Problems.Make(404, "bad-value", "Init image not found: init_images is empty.", field: "init_images");
        throw new ClientFields(body.RootElement).NotSupported(
            "init_images", "pictures are not painted over yet. Use /sdapi/v1/txt2img.");
    }
}

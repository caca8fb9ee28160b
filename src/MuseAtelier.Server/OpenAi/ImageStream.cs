using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;

namespace MuseAtelier.Server.OpenAi;

/// <summary>
/// Answers a call with a stream of events: previews while a picture is painted, then the picture. Previews come at even distances of the
/// steps; where painting is faster than they are made, fewer come.
/// </summary>
/// <param name="board">Runs the job, and has its previews.</param>
/// <param name="context">The request.</param>
/// <param name="call">What was asked for.</param>
internal sealed class ImageStream(IJobBoard board, HttpContext context, ImageCall call)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(40);

    // One picture waits at most, so that a slow client holds the job back instead of filling the memory.
    private readonly Channel<FinishedPicture> _pictures = Channel.CreateBounded<FinishedPicture>(1);

    private readonly EventAnswer _events = new(context.Response);

    private volatile string? _job;
    private int _sent, _partialsSent, _newestPreview;

    /// <summary>Runs the job and sends its events.</summary>
    public async Task RunAsync()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        Task job = RunJobAsync(ending.Token);
        try
        {
            await SendAllAsync();
        }
        finally
        {
            // Without effect on a job that has ended.
            await ending.CancelAsync();
            await job.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await ReportAsync(job);
    }

    private async Task RunJobAsync(CancellationToken cancellationToken)
    {
        try
        {
            await board.RunAsync(
                call.Job,
                accepted => _job = accepted.Id,
                picture => _pictures.Writer.WriteAsync(picture, cancellationToken).AsTask(),
                cancellationToken);
        }
        finally
        {
            _pictures.Writer.Complete();
        }
    }

    private async Task SendAllAsync()
    {
        while (true)
        {
            Task<bool> next = _pictures.Reader.WaitToReadAsync(context.RequestAborted).AsTask();
            while (!next.IsCompleted && call.PartialPictures > 0)
            {
                await SendPartialAsync();
                await Task.WhenAny(next, Task.Delay(Pace, context.RequestAborted));
            }

            if (!await next) return;
            while (_pictures.Reader.TryRead(out FinishedPicture? picture)) await SendAsync(picture);
        }
    }

    // A failure before the first event becomes an ordinary error. Later, the stream has an event for it.
    private async Task ReportAsync(Task job)
    {
        if (job.IsCompletedSuccessfully || !context.Response.HasStarted)
        {
            await job;
            return;
        }

        ServerRequestException refused = job.IsCanceled ? ImageGeneration.Stopped() : Problems.Of(job.Exception!.InnerException!);
        await _events.SendAsync(
            "error",
            file: null,
            json => ImageErrors.Write(json, refused.Status, refused.Problem),
            context.RequestAborted);
    }

    private async Task SendAsync(FinishedPicture picture)
    {
        (_sent, _partialsSent) = (_sent + 1, 0);
        // What was made until now shows this picture.
        if (call.PartialPictures > 0 && _job is { } id && board.Preview(id) is { } newest) _newestPreview = newest.Number;
        string type = $"{call.Events}.completed";
        await _events.SendAsync(type, picture.File, json =>
        {
            WriteCommon(json, type, ImageFormats.WordOf(call.Job.Format));
            ImageUsage.Write(json, call.Job.Picture);
        }, context.RequestAborted);
    }

    private async Task SendPartialAsync()
    {
        if (_partialsSent == call.PartialPictures || _job is not { } id || board.Find(id) is not { } job) return;
        // Asking has the next preview made.
        PreviewImage? preview = board.Preview(id);
        // After its last step, a picture is finished, and the job still shows that step.
        bool isPainting = job.Finished == _sent && _sent < call.Job.Count && job.Step < job.Steps;
        bool isDue = isPainting && (long)job.Step * (call.PartialPictures + 1) >= (long)job.Steps * (_partialsSent + 1);
        if (!isDue || preview is null || preview.Number <= _newestPreview) return;
        (_newestPreview, int index) = (preview.Number, _partialsSent++);
        string type = $"{call.Events}.partial_image";
        await _events.SendAsync(type, preview.File, json =>
        {
            // A preview has a format of its own.
            WriteCommon(json, type, preview.MediaType[(preview.MediaType.IndexOf('/') + 1)..]);
            json.WriteNumber("partial_image_index", index);
        }, context.RequestAborted);
    }

    private void WriteCommon(Utf8JsonWriter json, string type, string format)
    {
        json.WriteString("type", type);
        json.WriteNumber("created_at", DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        json.WriteString("size", call.Size);
        json.WriteString("quality", call.Quality);
        json.WriteString("background", "opaque");
        json.WriteString("output_format", format);
    }
}

using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>
/// The progress of the job of this API that runs, or else of the first one that waits; and its end on demand. Jobs of the page are not
/// shown and not touched.
/// </summary>
/// <param name="board">The jobs.</param>
internal sealed class ProgressAnswer(IJobBoard board)
{
    private static readonly string EnlargingPhase = nameof(GenerationPhase.Enlarging).ToLowerInvariant();

    private bool _wasInterrupted, _wasSkipped;

    /// <summary>Answers with the progress.</summary>
    public Task ReadAsync(HttpContext context)
    {
        bool isBare = bool.TryParse(context.Request.Query["skip_current_image"], out bool asked) && asked;
        Job? job = Running() ?? Own().FirstOrDefault(job => job.State == JobState.Waiting);
        PreviewImage? preview = job is null || isBare ? null : board.Preview(job.Id);
        return JsonAnswer.WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("progress", job is null ? 0 : ShareOf(job));
            json.WriteNumber("eta_relative", job?.SecondsLeft ?? 0);
            json.WritePropertyName("state");
            WriteState(json, job);
            if (preview is null) json.WriteNull("current_image");
            else json.WriteBase64String("current_image", preview.File.Span);
            json.WriteString("textinfo", job is null ? null : WordsOf(job));
            json.WriteString("current_task", job?.Id);
            json.WriteEndObject();
        });
    }

    /// <summary>Stops the job of this API that runs.</summary>
    public async Task InterruptAsync(HttpContext context)
    {
        _wasInterrupted = await StopAsync();
        await JsonAnswer.WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteEndObject();
        });
    }

    /// <summary>Stops the job of this API that runs: its remaining pictures are left out.</summary>
    public async Task SkipAsync(HttpContext context)
    {
        _wasSkipped = await StopAsync();
        await JsonAnswer.WriteAsync(context, json => json.WriteNullValue());
    }

    private static string? WordsOf(Job job) => job.Phase == EnlargingPhase
        ? string.Create(CultureInfo.InvariantCulture, $"{job.Phase}, tile {job.Tile} of {job.Tiles}")
        : job.Phase;

    // AUTOMATIC1111, modules/api/api.py, progressapi. All tiles of an upscaler together count as one more step, so that clients see that
    // the picture goes on.
    private static double ShareOf(Job job)
    {
        if (job.State == JobState.Waiting) return 0;
        double done = job.Step, all = job.Steps;
        if (job.Tiles > 0) (done, all) = (done + ((double)job.Tile / job.Tiles), all + 1);
        double ofPicture = all > 0 ? Math.Clamp(done / all, 0, 1) : 0;
        return Math.Min(1, 0.01 + ((job.Finished + ofPicture) / Math.Max(1, job.Request.Count)));
    }

    private void WriteState(Utf8JsonWriter json, Job? job)
    {
        json.WriteStartObject();
        json.WriteBoolean("skipped", job is null && _wasSkipped);
        json.WriteBoolean("interrupted", job is null && _wasInterrupted);
        json.WriteBoolean("stopping_generation", false);
        json.WriteString("job", job is null ? "" : job.Request.Picture.Source is null ? "scripts_txt2img" : "scripts_img2img");
        json.WriteNumber("job_count", job?.Request.Count ?? 0);
        string? began = job?.Accepted.UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
        json.WriteString("job_timestamp", began ?? "0");
        json.WriteNumber("job_no", job?.Finished ?? 0);
        json.WriteNumber("sampling_step", job?.Step ?? 0);
        json.WriteNumber("sampling_steps", job?.Steps ?? 0);
        json.WriteEndObject();
    }

    private async Task<bool> StopAsync()
    {
        if (Running() is not { } job) return false;
        await board.StopAsync(job.Id);
        return true;
    }

    private Job? Running() => Own().FirstOrDefault(job => job.State is JobState.Opening or JobState.Painting);

    private IEnumerable<Job> Own() => board.Jobs.Where(job => job.Request.Origin == "a1111");
}

using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Jobs;

/// <summary>Writes jobs as docs/http-api.md describes them.</summary>
internal static class JobJson
{
    /// <summary>A job as wire JSON.</summary>
    public static JsonObject Write(Job job)
    {
        JsonObject request = RequestJson.Write(job.Request.Picture, job.Request.Uploads);
        request["count"] = job.Request.Count;
        request["format"] = RequestWords.WordOf(job.Request.Format);
        if (job.Request.Model is { } model) request["model"] = model;
        if (job.Request.Quality is { } quality) request["quality"] = quality;
        var json = new JsonObject
        {
            ["id"] = job.Id,
            ["state"] = RequestWords.WordOf(job.State),
            ["kind"] = job.Request.Verifies is null ? "paint" : "verify",
            ["origin"] = job.Request.Origin,
            ["accepted"] = job.Accepted,
            ["request"] = request,
            ["count"] = job.Request.Count,
            ["finished"] = job.Finished,
            ["step"] = job.Step,
            ["steps"] = job.Steps,
            ["preview"] = job.Preview,
            ["pictures"] = new JsonArray([.. job.Pictures.Select(id => (JsonNode)JsonValue.Create(id))]),
        };
        if (job.Began is { } began) json["began"] = began;
        if (job.Ended is { } ended) json["ended"] = ended;
        if (job.Tiles > 0) (json["tile"], json["tiles"]) = (job.Tile, job.Tiles);
        if (job.Phase is { } phase) json["phase"] = phase;
        if (job.SecondsLeft is { } seconds) json["secondsLeft"] = Math.Round(seconds, 3);
        if (job.Request.Verifies is { } picture) json["picture"] = picture;
        if (job.Place is { } place) json["place"] = place;
        if (job.Problem is { } problem) json["problem"] = JsonSerializer.SerializeToNode(problem, WireJson.Options);
        if (job.Verification is { } found)
        {
            var verification = new JsonObject { ["holds"] = found.Holds, ["outcome"] = found.Outcome };
            if (found.DivergesAtStep is { } step) verification["divergesAtStep"] = step;
            json["verification"] = verification;
        }

        return json;
    }

    /// <summary>Several jobs as the member <c>jobs</c> of an object.</summary>
    public static JsonObject Write(IEnumerable<Job> jobs) => new() { ["jobs"] = WriteArray(jobs) };

    /// <summary>Several jobs as an array.</summary>
    public static JsonArray WriteArray(IEnumerable<Job> jobs) => [.. jobs.Select(job => (JsonNode)Write(job))];
}

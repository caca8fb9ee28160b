using System.Net.Http.Json;
using System.Text.Json;
using MuseAtelier.Pictures;

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>Pictures that a test needs before it begins, painted by the server's own API.</summary>
internal static class PaintedPicture
{
    /// <summary>Paints a picture, in one step if nothing else is asked for, and returns its id.</summary>
    public static Task<string> PaintAsync(TestServer server, string words, int width = 256, int height = 256, int steps = 1) =>
        PaintAsync(new Uri(server.Address), words, width, height, steps);

    /// <summary>
    /// The pictures of a gallery with the given words. Studies of pictures that were stopped have no record, and are JPEGs.
    /// </summary>
    public static IEnumerable<string> FilesOf(TestServer server, string words) =>
        Directory.EnumerateFiles(server.Gallery, "*.png").Where(file => PictureFile.Read(file).ReadRecord().Request.Prompt == words);

    /// <summary>Paints a picture by the server at an address and returns its id.</summary>
    public static async Task<string> PaintAsync(Uri address, string words, int width, int height, int steps)
    {
        using var client = new HttpClient { BaseAddress = address };
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using HttpResponseMessage accepted = await client.PostAsJsonAsync(
            "api/v1/jobs", new { prompt = words, width, height, steps, seed = 1 }, cancellation);
        Assert.True(accepted.IsSuccessStatusCode, await accepted.Content.ReadAsStringAsync(cancellation));
        string id = (await accepted.Content.ReadFromJsonAsync<JsonElement>(cancellation)).GetProperty("id").GetString()!;
        // The stream of events says when it is finished: nothing is asked for twice.
        await using Stream events = await client.GetStreamAsync("api/v1/events", cancellation);
        using var reader = new StreamReader(events);
        while (true)
        {
            JsonElement job = await client.GetFromJsonAsync<JsonElement>($"api/v1/jobs/{id}", cancellation);
            string state = job.GetProperty("state").GetString()!;
            if (state == "done") return job.GetProperty("pictures")[0].GetString()!;
            Assert.False(state is "failed" or "stopped", job.ToString());
            while (await reader.ReadLineAsync(cancellation) is { Length: > 0 })
            {
                // An event ends with an empty line.
            }
        }
    }
}

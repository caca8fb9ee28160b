using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Server.Automatic1111;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Tests.Server.Jobs;

namespace MuseAtelier.Tests.Server.Automatic1111;

/// <summary>AUTOMATIC1111's progress while an upscaler enlarges the picture between two passes.</summary>
public sealed class ProgressAnswerTests : IDisposable
{
    private readonly MemoryGallery _gallery = new();

    public void Dispose() => _gallery.Dispose();

    [Fact]
    public async Task Read_WhileAnUpscalerRuns_GoesOnFromTileToTile()
    {
        var atelier = new SteppedAtelier();
        await using BoardSetup setup = await BoardSetup.StartAsync(atelier, _gallery);
        Job accepted = await setup.Board.AcceptAsync(
            BoardSetup.Ask(1) with { Origin = "a1111" }, TestContext.Current.CancellationToken);
        SteppedAtelier.Painting painting = await atelier.NextAsync();
        var answer = new ProgressAnswer(setup.Board);
        double before = 0;
        foreach ((GenerationPhase phase, int step, int tile, string words) in ((GenerationPhase, int, int, string)[])
            [
                (GenerationPhase.Denoising, 2, 0, "denoising"), (GenerationPhase.Enlarging, 2, 1, "enlarging, tile 1 of 4"),
                (GenerationPhase.Enlarging, 2, 2, "enlarging, tile 2 of 4"), (GenerationPhase.Denoising, 3, 4, "denoising"),
            ])
        {
            painting.Report(new GenerationProgress { Phase = phase, Step = step, Steps = 4, Tile = tile, Tiles = 4 });
            Job job = await setup.UntilAsync(accepted.Id, job => (job.Step, job.Tile) == (step, tile));
            JsonObject json = JobJson.Write(job);
            Assert.Equal((tile, 4, words[..9]), ((int)json["tile"]!, (int)json["tiles"]!, (string?)json["phase"]));
            JsonNode told = await ReadAsync(answer);
            Assert.Equal(words, (string?)told["textinfo"]);
            double share = (double)told["progress"]!;
            // The tiles count as a fifth step.
            Assert.Equal(0.01 + ((step + (tile / 4.0)) / 5), share, 1e-9);
            Assert.True(share > before);
            before = share;
        }

        painting.Finish();
        Job done = await setup.UntilAsync(accepted.Id, job => job.State == JobState.Done);
        Assert.Equal((4, 4), (done.Tile, done.Tiles));
    }

    private static async Task<JsonNode> ReadAsync(ProgressAnswer answer)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        await answer.ReadAsync(context);
        return JsonNode.Parse(body.ToArray())!;
    }
}

using MuseAtelier.Cli.Display;

namespace MuseAtelier.Tests.Cli;

/// <summary>The lines that show progress where there is no terminal.</summary>
public sealed class RenderDisplayTests
{
    [Fact]
    public async Task Report_OfTwoPassesWithAnUpscaler_ShowsTilesAndMeasuresEachPassByItself()
    {
        await using var output = new StringWriter();
        await using RenderDisplay display = new PlainDisplay(output) { Pictures = 1 };
        (GenerationPhase Phase, int Step, int Tile, double Seconds)[] reports =
        [
            (GenerationPhase.Encoding, 0, 0, 0), (GenerationPhase.Denoising, 1, 0, 10), (GenerationPhase.Denoising, 2, 0, 11),
            (GenerationPhase.Enlarging, 2, 0, 11), (GenerationPhase.Enlarging, 2, 1, 20), (GenerationPhase.Enlarging, 2, 2, 30),
            (GenerationPhase.Encoding, 2, 2, 31), (GenerationPhase.Denoising, 3, 2, 40), (GenerationPhase.Denoising, 4, 2, 44),
        ];
        foreach ((GenerationPhase phase, int step, int tile, double seconds) in reports)
        {
            display.Report(new GenerationProgress
            {
                Phase = phase,
                Step = step,
                Steps = 5,
                Tile = tile,
                Tiles = 2,
                Elapsed = TimeSpan.FromSeconds(seconds),
            });
        }

        Assert.Equal(
            """
            reading the prompt
            painting: step 1/5
            painting: step 2/5, 1.00 s/step, 3 s left
            enlarging: tile 0/2
            enlarging: tile 1/2
            enlarging: tile 2/2
            reading the prompt
            painting: step 3/5
            painting: step 4/5, 4.00 s/step, 4 s left

            """.ReplaceLineEndings(), output.ToString());
    }
}

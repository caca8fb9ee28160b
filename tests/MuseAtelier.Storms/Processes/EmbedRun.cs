using System.CommandLine;
using MuseAtelier.Pictures;
using MuseAtelier.Storms.Ateliers;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Processes;

/// <summary>
/// A small program that embeds MuseAtelier, paints one picture and ends, for <see cref="ExitsStorm"/> and <see cref="ExportsStorm"/>.
/// </summary>
internal static class EmbedRun
{
    public static Command Command()
    {
        Option<StormDevice> device = StormCommand.Device();
        var cache = new Option<string>("--cache") { Description = "The package cache.", Required = true };
        var mode = new Option<string>("--mode")
        {
            Description = "How the atelier is opened, as with 'ateliers --modes'.",
            DefaultValueFactory = _ => "auto",
        };
        var without = new Option<bool>("--without-dispose") { Description = "End without disposing of the atelier." };
        var output = new Option<string?>("--picture") { Description = "A file for the picture; nothing is written without one." };
        Option<int> steps = StormCommand.Number("--steps", "Steps.", 4);
        var command = new Command("embed", "Used by 'exits' and 'exports': paints one picture and writes its digests.")
        {
            device,
            cache,
            mode,
            without,
            output,
            steps,
        };
        command.SetAction(
            async (result, stop) =>
            {
                AtelierSetup setup = AtelierSetup.ParseAll(result.GetValue(mode)!, 1)[0];
                AtelierOptions options = setup.Options(result.GetValue(device), result.GetRequiredValue(cache));
                Atelier atelier = await Atelier.OpenAsync(StormFolder.Model, options, cancellationToken: stop);
                Picture picture = await atelier.GenerateAsync(
                    new PictureRequest
                    {
                        Prompt = "a starry night",
                        Width = 256,
                        Height = 256,
                        Steps = result.GetValue(steps),
                        Seed = 7,
                    },
                    cancellationToken: stop
                );
                if (result.GetValue(output) is { } path)
                    PictureFile.Write(picture, path, new PictureFileOptions { Overwrite = true });
                PictureDigest digest = PictureDigest.Of(picture);
                await Console.Out.WriteLineAsync($"{digest.Latents} {digest.Pixels}");
                if (!result.GetValue(without))
                    await atelier.DisposeAsync();
                return StormCommand.Passed;
            }
        );
        return command;
    }
}

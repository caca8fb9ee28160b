using System.CommandLine;
using System.Text.Json;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Ateliers;

/// <summary>Paints a storm's requests with one atelier in a process of its own, as the reference for the storm's pictures.</summary>
internal static class AloneRun
{
    private static readonly Option<string> Folder = new("--folder") { Description = "The storm's folder.", Required = true };
    private static readonly Option<string> Setup = new("--setup") { Description = "The atelier.", Required = true };
    private static readonly Option<int> Seed = StormCommand.Number("--seed", "The storm's seed.", 1);
    private static readonly Option<int> Requests = StormCommand.Number("--requests", "The storm's number of requests.", 8);
    private static readonly Option<StormDevice> Device = StormCommand.Device();

    public static Command Command()
    {
        var command = new Command("alone", "Used by 'ateliers': paints its requests with one atelier and writes the digests.")
        {
            Folder,
            Setup,
            Seed,
            Requests,
            Device,
        };
        command.SetAction(
            async (result, _) =>
            {
                using var folder = new StormFolder(result.GetRequiredValue(Folder));
                var setup = AtelierSetup.ParseAll(result.GetRequiredValue(Setup), 1)[0];
                IReadOnlyList<StormRequest> requests = StormRequests.Draw(new Random(result.GetValue(Seed)), result.GetValue(Requests));
                await Console.Out.WriteLineAsync(
                    JsonSerializer.Serialize(await PaintAsync(setup, requests, result.GetValue(Device), folder))
                );
                return StormCommand.Passed;
            }
        );
        return command;
    }

    /// <summary>Opens the atelier in this process, paints every request, and disposes the atelier.</summary>
    public static async Task<IReadOnlyList<PictureDigest>[]> PaintAsync(
        AtelierSetup setup,
        IReadOnlyList<StormRequest> requests,
        StormDevice device,
        StormFolder folder
    )
    {
        await using Atelier atelier = await setup.OpenAsync(device, folder);
        var painted = new IReadOnlyList<PictureDigest>[requests.Count];
        for (int i = 0; i < painted.Length; i++)
            painted[i] = await requests[i].PaintAsync(atelier);
        return painted;
    }

    /// <summary>Paints in a process of its own. Returns its digests, and how it ended.</summary>
    public static async Task<(PictureDigest[][]? Digests, ChildResult Child)> PaintInChildAsync(
        string setup,
        int seed,
        int requests,
        StormDevice device,
        StormFolder folder
    )
    {
        string[] arguments =
        [
            "alone",
            "--folder",
            folder.Path,
            "--setup",
            setup,
            "--seed",
            FormattableString.Invariant($"{seed}"),
            "--requests",
            FormattableString.Invariant($"{requests}"),
            "--device",
            device.Name(),
        ];
        ChildResult child = await SelfProcess.RunAsync([.. SelfProcess.Command, .. arguments], TimeSpan.FromMinutes(10));
        string line = child.Output.Split('\n').LastOrDefault(text => text.StartsWith('[')) ?? "";
        return (line.Length == 0 ? null : JsonSerializer.Deserialize<PictureDigest[][]>(line), child);
    }
}

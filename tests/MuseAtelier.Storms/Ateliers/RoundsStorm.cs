using System.CommandLine;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Ateliers;

/// <summary>Opens an atelier, paints with it and disposes it, round after round, and measures how the process grows.</summary>
internal static class RoundsStorm
{
    /// <summary>Rounds before the first measurement of memory, so that everything that is loaded once is loaded.</summary>
    public const int WarmUp = 5;

    private const double MiB = 1 << 20;

    public static Command Command()
    {
        Option<StormDevice> device = StormCommand.Device();
        Option<int> rounds = StormCommand.Number("--rounds", "Rounds.", 60);
        Option<int> bound = StormCommand.Number("--bound-mib", "MiB by which anonymous memory may grow after the first five rounds.", 20);
        Option<int> card = StormCommand.Number(
            "--card-bound-mib",
            "MiB by which the card's used memory may grow after the first five rounds.",
            64
        );
        var mode = new Option<string>("--mode")
        {
            Description = "How each atelier is opened, as with 'ateliers --modes'; several are used by turns.",
            DefaultValueFactory = _ => "auto",
        };
        Option<int> size = StormCommand.Number("--size", "Width and height in px.", 256);
        Option<int> steps = StormCommand.Number("--steps", "Steps.", 2);
        return StormCommand.Storm(
            "rounds",
            "Opens, paints and disposes of an atelier, round after round; memory must not grow.",
            [device, rounds, bound, card, mode, size, steps],
            (result, report) =>
                RunAsync(
                    result.GetValue(device),
                    result.GetValue(mode)!,
                    result.GetValue(rounds),
                    result.GetValue(bound),
                    result.GetValue(card),
                    new PictureRequest
                    {
                        Prompt = "a starry night",
                        Width = result.GetValue(size),
                        Height = result.GetValue(size),
                        Steps = result.GetValue(steps),
                        Seed = 7,
                    },
                    report
                )
        );
    }

    public static async Task RunAsync(
        StormDevice device,
        string modes,
        int rounds,
        int boundMib,
        int cardBoundMib,
        PictureRequest request,
        StormReport report
    )
    {
        using var folder = new StormFolder();
        IReadOnlyList<AtelierSetup> setups = AtelierSetup.ParseAll(modes, modes.Split(',').Length);
        var first = new Dictionary<string, PictureDigest>(StringComparer.Ordinal);
        var held = new List<(double? Anonymous, double? Card)>();
        for (int round = 0; round < rounds; round++)
        {
            AtelierSetup setup = setups[round % setups.Count];
            await using (Atelier atelier = await setup.OpenAsync(device, folder))
            {
                report.Device = atelier.Device;
                PictureDigest digest = PictureDigest.Of(await atelier.GenerateAsync(request));
                if (!first.TryAdd(setup.Text, digest) && digest.DifferenceTo(first[setup.Text]) is { } difference)
                    report.Fail("wrong", FormattableString.Invariant($"round {round}, {setup.Text}"), difference);
            }

            // Garbage must be collected first, because it does not count as growth.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
            held.Add((HeldMemory.AnonymousBytes() / MiB, device == StormDevice.Cuda ? HeldMemory.CardBytes() / MiB : null));
            await Console.Error.WriteLineAsync(
                FormattableString.Invariant($"round {round}: anonymous {held[^1].Anonymous:F1} MiB, card {held[^1].Card:F1} MiB")
            );
            report.Add("rounds");
        }

        Compare(report, "anonymous", [.. held.Select(one => one.Anonymous)], boundMib);
        Compare(report, "card", [.. held.Select(one => one.Card)], cardBoundMib);
    }

    private static void Compare(StormReport report, string what, IReadOnlyList<double?> held, int bound)
    {
        if (held.Count <= WarmUp || held[WarmUp - 1] is not { } warm || held[^1] is not { } last)
            return;
        report.Figure($"{what}.warmMib", warm);
        report.Figure($"{what}.lastMib", last);
        report.Figure($"{what}.mostMib", held.Max()!.Value);
        report.Figure($"{what}.grownMib", last - warm);
        if (last - warm > bound)
            report.Fail(
                "grown",
                what,
                FormattableString.Invariant($"{last - warm:F1} MiB more after {held.Count} rounds than after {WarmUp}; allowed are {bound}")
            );
    }
}

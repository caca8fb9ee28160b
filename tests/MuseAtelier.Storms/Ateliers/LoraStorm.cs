using System.CommandLine;
using System.Diagnostics;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Ateliers;

/// <summary>
/// Paints with random LoRAs by turns, and measures the first use of one, the switch between two, steps before and after, and host memory.
/// Pictures of the same request must stay the same.
/// </summary>
internal static class LoraStorm
{
    private const double MiB = 1 << 20;

    public static Command Command()
    {
        Option<StormDevice> device = StormCommand.Device();
        var model = new Option<string?>("--model") { Description = "A checkpoint; the Miniature by default." };
        var shapes = new Option<string?>("--shapes")
        {
            Description = "A list of tensors such as tests/goldens/sdxl_keys.json, of which a random checkpoint is made.",
        };
        var mode = new Option<string>("--mode")
        {
            Description = "How the atelier is opened, as with 'ateliers --modes'.",
            DefaultValueFactory = _ => "auto",
        };
        Option<int> rank = StormCommand.Number("--rank", "Rank of the LoRAs.", 32);
        var convolutions = new Option<bool>("--convolutions") { Description = "Whether convolutions are changed as well." };
        Option<int> switches = StormCommand.Number("--switches", "Switches between the two LoRAs.", 6);
        Option<int> size = StormCommand.Number("--size", "Width and height in px.", 256);
        Option<int> steps = StormCommand.Number("--steps", "Steps.", 6);
        return StormCommand.Storm(
            "lora",
            "Paints with random LoRAs by turns; pictures must stay the same, and the time of a step too.",
            [device, model, shapes, mode, rank, convolutions, switches, size, steps],
            async (result, report) =>
            {
                using var folder = new StormFolder();
                string checkpoint = result.GetValue(model) ?? StormFolder.Miniature;
                if (result.GetValue(shapes) is { } list)
                {
                    checkpoint = folder.Place("random.safetensors");
                    RandomCheckpoint.Write(checkpoint, RandomCheckpoint.ReadShapes(list));
                }

                var options = new LoraStormOptions(
                    checkpoint,
                    AtelierSetup.ParseAll(result.GetValue(mode)!, 1)[0].Options(result.GetValue(device), folder.Cache),
                    new PictureRequest
                    {
                        Prompt = "a starry night",
                        Width = result.GetValue(size),
                        Height = result.GetValue(size),
                        Steps = result.GetValue(steps),
                        Seed = 7,
                    }
                )
                {
                    Rank = result.GetValue(rank),
                    Convolutions = result.GetValue(convolutions),
                    Switches = result.GetValue(switches),
                };
                await RunAsync(options, folder, report);
            }
        );
    }

    public static async Task RunAsync(LoraStormOptions options, StormFolder folder, StormReport report)
    {
        PictureRequest[] requests =
        [
            options.Request,
            options.Request with { Loras = [new PictureLora { Path = Write(options, folder, "a", seed: 1, report) }] },
            options.Request with { Loras = [new PictureLora { Path = Write(options, folder, "b", seed: 2, report) }] },
        ];
        await using Atelier atelier = await Atelier.OpenAsync(options.Checkpoint, options.Atelier);
        report.Device = atelier.Device;
        var first = new Dictionary<int, PictureDigest>();
        var merging = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        // The first picture waits for what is loaded once; the second captures a step on a card.
        for (int i = 0; i < 2; i++)
            await PaintAsync(0, "without.warmUp");
        double before = await PaintAsync(0, "without.before");
        using var memory = new HostPeak();
        await PaintAsync(1, "firstUse");
        double between = await PaintAsync(1, "with");
        for (int i = 0; i < options.Switches; i++)
        {
            await PaintAsync(i % 2 == 0 ? 2 : 1, "switch");
            between = Math.Min(between, await PaintAsync(i % 2 == 0 ? 2 : 1, "with"));
        }

        await PaintAsync(0, "back");
        double after = await PaintAsync(0, "without.after");
        report.Figure("step.before.ms", before);
        report.Figure("step.with.ms", between);
        report.Figure("step.after.ms", after);
        report.Figure("host.grownMiB", memory.GrownBytes() / MiB);
        foreach ((string name, List<double> seconds) in merging)
        {
            report.Figure($"{name}.least.s", seconds.Min());
            report.Figure($"{name}.most.s", seconds.Max());
        }

        // Returns the median of the steps in ms.
        async Task<double> PaintAsync(int request, string name)
        {
            long begin = Stopwatch.GetTimestamp();
            using Picture picture = await atelier.GenerateAsync(requests[request]);
            Record($"{name}.picture", Stopwatch.GetElapsedTime(begin).TotalSeconds);
            Record($"{name}.merging", picture.Timings.Merging.TotalSeconds);
            PictureDigest digest = PictureDigest.Of(picture);
            if (!first.TryAdd(request, digest) && digest.DifferenceTo(first[request]) is { } difference)
                report.Fail("wrong", FormattableString.Invariant($"{name}, request {request}"), difference);
            report.Add("pictures");
            TimeSpan[] ordered = [.. picture.Timings.Steps.Order()];
            return ordered[ordered.Length / 2].TotalMilliseconds;
        }

        void Record(string name, double seconds)
        {
            if (!merging.TryGetValue(name, out List<double>? list))
                merging[name] = list = [];
            list.Add(seconds);
        }
    }

    private static string Write(LoraStormOptions options, StormFolder folder, string name, ulong seed, StormReport report)
    {
        string path = folder.Place(name + ".safetensors");
        using SafetensorsFile checkpoint = SafetensorsFile.Open(options.Checkpoint);
        RandomCheckpoint.Write(
            path,
            RandomLora.Shapes(
                checkpoint.Tensors.Values.Select(tensor => KeyValuePair.Create(tensor.Name, tensor.Shape)),
                options.Rank,
                options.Convolutions
            ),
            seed: seed
        );
        report.Figure("lora.MiB", new FileInfo(path).Length / MiB);
        return path;
    }

    /// <summary>Samples the anonymous memory of this process from its creation on, every 10 ms.</summary>
    private sealed class HostPeak : IDisposable
    {
        private readonly Timer _timer;
        private readonly long _before = HeldMemory.AnonymousBytes() ?? 0;
        private long _most;

        public HostPeak() => _timer = new Timer(_ => Sample(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(10));

        public long GrownBytes()
        {
            Sample();
            return Volatile.Read(ref _most) - _before;
        }

        public void Dispose() => _timer.Dispose();

        private void Sample()
        {
            long now = HeldMemory.AnonymousBytes() ?? 0;
            for (long most = Volatile.Read(ref _most); now > most; most = Volatile.Read(ref _most))
                if (Interlocked.CompareExchange(ref _most, now, most) == most)
                    return;
        }
    }
}

/// <summary>The options of the storm.</summary>
/// <param name="Checkpoint">Path of the checkpoint.</param>
/// <param name="Atelier">The options of the atelier.</param>
/// <param name="Request">The picture.</param>
internal sealed record LoraStormOptions(string Checkpoint, AtelierOptions Atelier, PictureRequest Request)
{
    public int Rank { get; init; } = 32;

    public bool Convolutions { get; init; }

    public int Switches { get; init; } = 6;
}

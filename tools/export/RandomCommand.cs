using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Tools.Export;

/// <summary>muse-export random: writes a checkpoint of random weights, for measurements without the real one.</summary>
internal static class RandomCommand
{
    public static Command Create(Func<Func<CancellationToken, Task<int>>, Task<int>> guard)
    {
        var shapes = new Argument<string>("SHAPES")
        {
            Description = "A JSON object of tensor names and shapes, such as tests/goldens/sdxl_keys.json: all of SDXL at full size.",
        };
        var file = new Argument<string>("FILE") { Description = "The .safetensors file to write." };
        var type = new Option<string>("--type")
        {
            Description = "Element type of the weights.",
            HelpName = "f16|bf16|f32",
            DefaultValueFactory = _ => "f16",
        };
        type.AcceptOnlyFromAmong("f16", "bf16", "f32");
        var seed = new Option<ulong>("--seed")
        {
            Description = "Seed of the numbers: the same seed gives the same file.",
            HelpName = "NUMBER",
            DefaultValueFactory = _ => 0,
        };
        var command = new Command("random", "Writes a checkpoint of random weights: speed and memory do not depend on values.")
        {
            shapes,
            file,
            type,
            seed,
        };
        command.SetAction((result, _) => guard(cancellation => Task.Run(
            () => Write(
                result.GetRequiredValue(shapes),
                result.GetRequiredValue(file),
                Enum.Parse<ElementType>(result.GetRequiredValue(type), ignoreCase: true),
                result.GetValue(seed),
                cancellation),
            cancellation)));
        return command;
    }

    private static int Write(string shapes, string file, ElementType type, ulong seed, CancellationToken cancellationToken)
    {
        long begin = Stopwatch.GetTimestamp();
        RandomCheckpoint.Write(file, RandomCheckpoint.ReadShapes(shapes), type, seed, cancellationToken: cancellationToken);
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        double megabytes = new FileInfo(file).Length / 1e6;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{file}: {megabytes:N1} MB in {seconds:F1} s ({megabytes / Math.Max(seconds, 1e-3):N0} MB/s)"));
        return 0;
    }
}

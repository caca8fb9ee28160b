using System.CommandLine;
using MuseAtelier.Storms.Ateliers;
using MuseAtelier.Storms.Fuzzing;
using MuseAtelier.Storms.Processes;
using MuseAtelier.Storms.Requests;
using MuseAtelier.Storms.Serving;
using MuseAtelier.Storms.Texts;

namespace MuseAtelier.Storms.Running;

/// <summary>The storms as commands.</summary>
internal static class StormCommand
{
    public const int Passed = 0,
        Failed = 1,
        BadUsage = 2,
        Hung = 3;

    private static readonly RootCommand Root = Create();

    /// <summary>Whether the arguments name a storm, or the help for storms, rather than tests.</summary>
    public static bool Knows(string[] arguments) =>
        arguments.Length > 0 && (arguments[0] is "--help" || Root.Subcommands.Any(command => command.Name == arguments[0]));

    public static async Task<int> RunAsync(string[] arguments)
    {
        ParseResult parsed = Root.Parse(arguments);
        if (parsed.Errors.Count == 0)
            return await parsed.InvokeAsync();
        foreach (var error in parsed.Errors)
            await Console.Error.WriteLineAsync(error.Message);
        return BadUsage;
    }

    /// <summary>Creates a storm's command. It writes its report as JSON to stdout, and to a file if one is named.</summary>
    public static Command Storm(string name, string description, IEnumerable<Option> options, Func<ParseResult, StormReport, Task> run)
    {
        var command = new Command(name, description);
        foreach (Option option in options)
            command.Add(option);
        var output = new Option<FileInfo?>("--out") { Description = "A file that gets the report too." };
        command.Add(output);
        command.SetAction(
            async (result, stop) =>
            {
                Option<StormDevice>? device = options.OfType<Option<StormDevice>>().FirstOrDefault();
                if (device is not null && result.GetValue(device).Problem() is { } problem)
                {
                    await Console.Error.WriteLineAsync(problem);
                    return BadUsage;
                }

                var report = new StormReport(name);
                foreach (Option option in options.Where(option => result.GetResult(option) is not null))
                    report.Options[option.Name.TrimStart('-')] = string.Join(
                        ' ',
                        result.GetResult(option)!.Tokens.Select(token => token.Value)
                    )
                        is { Length: > 0 } text
                        ? text
                        : Default(result, option);
                await run(result, report);
                string json = report.ToJson();
                await Console.Out.WriteLineAsync(json);
                if (result.GetValue(output) is { } file)
                    await File.WriteAllTextAsync(file.FullName, json + "\n", stop);
                // The process must be ended here, because a thread that hangs would keep it alive.
                if (report.Hung)
                    Environment.Exit(Hung);
                return report.Passed ? Passed : Failed;
            }
        );
        return command;
    }

    /// <summary>Creates an option for a whole number.</summary>
    public static Option<int> Number(string name, string description, int value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };

    /// <summary>The option that names the device.</summary>
    public static Option<StormDevice> Device() =>
        new("--device") { Description = "cpu or cuda.", DefaultValueFactory = _ => StormDevice.Cpu };

    private static string Default(ParseResult result, Option option) =>
        Convert.ToString(result.GetResult(option)!.GetValueOrDefault<object?>(), System.Globalization.CultureInfo.InvariantCulture) ?? "";

    private static RootCommand Create() =>
        new(
            "Storms: long runs under load. Each writes one JSON object and ends with exit code 0 only where nothing was wrong."
        )
        {
            AteliersStorm.Command(),
            AloneRun.Command(),
            RoundsStorm.Command(),
            LoraStorm.Command(),
            CancelStorm.Command(),
            CallersStorm.Command(),
            ExitsStorm.Command(),
            ExportsStorm.Command(),
            WritesStorm.Command(),
            FuzzStorm.Command(),
            RequestsStorm.Command(),
            TokensStorm.Command(),
            ServerStorm.Command(),
            HttpStorm.Command(),
            ServeRun.Command(),
            EmbedRun.Command(),
            WriteRun.Command(),
            NarrowRun.Command(),
        };
}

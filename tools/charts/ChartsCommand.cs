using System.CommandLine;
using System.CommandLine.Invocation;

namespace MuseAtelier.Tools.Charts;

/// <summary>The command line of muse-charts: arguments, output and exit codes.</summary>
internal static class ChartsCommand
{
    private const int Done = 0, Failed = 1, BadUsage = 2;

    public static int Run(string[] args)
    {
        var root = new RootCommand(
            "Makes the repository's charts of the results that are committed in it.\n\n"
            + "Exit codes: 0 done, 1 failed (one line on stderr says why), 2 bad usage.")
        {
            Collect(),
            Sanctum(),
        };
        ParseResult parsed = root.Parse(args);
        // The help must not be printed here, because it would hide the line with the error.
        if (parsed.Action is ParseErrorAction)
        {
            string errors = string.Join("; ", parsed.Errors.Select(error => error.Message.TrimEnd('.')));
            return Fail($"{errors}. muse-charts --help lists what it takes.", BadUsage);
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception exception) when (exception is MuseAtelierException or IOException or UnauthorizedAccessException)
        {
            return Fail(exception.Message, Failed);
        }
    }

    private static Command Collect()
    {
        var files = new Argument<string[]>("FILES")
        {
            Description = "Files of muse bench --json, one for each budget.",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string>("--out")
        {
            Description = "The file to write.",
            HelpName = "FILE",
            DefaultValueFactory = _ => "benchmarks/nvidia-h200/budgets.json",
        };
        var command = new Command("collect", "Puts results of muse bench together into one file.") { files, output };
        command.SetAction(result => Write(result.GetRequiredValue(output), ResultCollection.Collect(result.GetRequiredValue(files))));
        return command;
    }

    private static Command Sanctum()
    {
        var results = new Option<string>("--results")
        {
            Description = "The folder that holds budgets.json and peers.json.",
            HelpName = "FOLDER",
            DefaultValueFactory = _ => "benchmarks/nvidia-h200",
        };
        var output = new Option<string>("--out")
        {
            Description = "The file to write.",
            HelpName = "FILE",
            DefaultValueFactory = _ => "docs/sanctum.svg",
        };
        var command = new Command("sanctum", "Draws seconds a picture over the budget of video memory.") { results, output };
        command.SetAction(result => Write(result.GetRequiredValue(output), SanctumChart.Draw(result.GetRequiredValue(results))));
        return command;
    }

    // The file is written under another name and renamed, so that it is complete or does not exist.
    private static int Write(string path, string text)
    {
        string partial = $"{path}.partial";
        try
        {
            File.WriteAllText(partial, text);
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }

        Console.WriteLine(path);
        return Done;
    }

    private static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"error: {string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))}");
        return code;
    }
}

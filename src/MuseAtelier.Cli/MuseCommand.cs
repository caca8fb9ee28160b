using System.CommandLine;
using System.CommandLine.Invocation;
using MuseAtelier.Cli.Commands;

namespace MuseAtelier.Cli;

/// <summary>The command line of muse: its commands, their cancellation, and the messages for bad usage and failures.</summary>
internal static class MuseCommand
{
    private static readonly string[] Help =
    [
        "Example: muse render \"a lighthouse in a storm\" --out lighthouse.png",
        "",
        "muse COMMAND --help lists the options of a command. muse doctor shows what this machine can paint with.",
    ];

    /// <summary>Runs a command line to its end. Every failure becomes one line on stderr and an exit code; none is thrown.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="terminal">Where the command writes.</param>
    public static async Task<int> RunAsync(string[] args, Terminal terminal)
    {
        // An argument that is not UTF-8 must be refused, because a garbled prompt would paint another picture, and two garbled file names
        // could become the same name.
        if (Array.FindIndex(args, arg => !Unicode.IsText(arg)) is >= 0 and var garbled)
        {
            terminal.WriteNotice(
                "error",
                $"argument {garbled + 1} ('{args[garbled]}') is not valid UTF-8; expected UTF-8. Set the terminal's encoding and LANG to "
                    + "UTF-8, or convert the script that calls muse (iconv -t UTF-8).");
            return ExitCode.BadUsage;
        }

        try
        {
            int code = await InvokeAsync(args, terminal);
            if (terminal.ResultFailure is not { } failure) return code;
            terminal.WriteNotice(
                "error",
                $"the result cannot be written to standard output ({failure.Message.TrimEnd('.')}); expected a stream that accepts it. "
                    + "All files of this command are complete.");
            return code == ExitCode.Done ? ExitCode.Failed : code;
        }
#pragma warning disable CA1031 // Every failure must become one line here, because nothing above catches it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Failure.Write(terminal, exception);
            return ExitCode.Failed;
        }
    }

    private static async Task<int> InvokeAsync(string[] args, Terminal terminal)
    {
        ParseResult parsed = Parse(args.Length > 0 ? args : ["--help"], terminal);
        // Prints no help page, which would push the line with the error off the screen.
        if (parsed.Action is ParseErrorAction)
        {
            string faults = string.Join("; ", parsed.Errors.Select(error => error.Message.TrimEnd('.')));
            string end = faults.EndsWith('?') ? "" : ".";
            terminal.WriteNotice("error", $"{faults}{end} muse --help lists the commands, muse COMMAND --help their options.");
            return ExitCode.BadUsage;
        }

        using var signals = new StopSignals(terminal);
        // Turns off the library's signal handling: it ends the process after two seconds, which may be too soon to clean up.
        var configuration = new InvocationConfiguration
        {
            Output = terminal.Out,
            Error = terminal.Error,
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
        };
        try
        {
            int code = await parsed.InvokeAsync(configuration, signals.Token);
            return args.Length > 0 ? code : ExitCode.BadUsage;
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            terminal.WriteNotice("error", "cancelled");
            return ExitCode.Cancelled;
        }
    }

    private static ParseResult Parse(string[] args, Terminal terminal)
    {
        Command render = RenderCommand.Create(terminal);
        Command verify = VerifyCommand.Create(terminal);
        Command variations = VariationsCommand.Create(terminal);
        Command replay = ReplayCommand.Create(terminal);
        Command atelier = AtelierCommand.Create(terminal);
        Command upscale = UpscaleCommand.Create(terminal);
        Command merge = MergeCommand.Create(terminal);
        var root = new RootCommand("Paints pictures with Stable Diffusion XL.")
        {
            render,
            variations,
            replay,
            verify,
            upscale,
            merge,
            atelier,
            InfoCommand.Create(terminal),
            TokensCommand.Create(terminal),
            ModelsCommand.Create(terminal),
            LorasCommand.Create(terminal),
            CacheCommand.Create(terminal),
            CheckCommand.Create(terminal),
            PlanCommand.Create(terminal),
            BenchCommand.Create(terminal),
            DoctorCommand.Create(terminal),
        };
        HelpPages.Attach(root, new Dictionary<Command, string[]>
        {
            [root] = Help,
            [render] = RenderCommand.Help,
            [variations] = VariationsCommand.Help,
            [verify] = VerifyCommand.Help,
            [replay] = ReplayCommand.Help,
            [upscale] = UpscaleCommand.Help,
            [merge] = MergeCommand.Help,
            [atelier] = AtelierCommand.Help,
        });
        // Turns off response files, because a prompt may begin with @.
        return root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
    }
}

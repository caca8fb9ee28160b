using System.CommandLine;
using System.CommandLine.Invocation;
using MuseAtelier.Cli.Commands;

namespace MuseAtelier.Cli;

/// <summary>The command line of muse: its commands, and how bad usage is answered.</summary>
internal static class MuseCommand
{
    public static async Task<int> RunAsync(string[] args, Terminal terminal)
    {
        Command render = RenderCommand.Create(terminal);
        var root = new RootCommand("Paints pictures with Stable Diffusion XL.")
        {
            render,
            CheckCommand.Create(terminal),
            InfoCommand.Create(terminal),
            ModelsCommand.Create(terminal),
            TokensCommand.Create(terminal),
            PlanCommand.Create(terminal),
            BenchCommand.Create(terminal),
            DoctorCommand.Create(),
        };

        HelpPages.Attach(root, new Dictionary<Command, string[]> { [render] = RenderCommand.Help });
        // A prompt may begin with @: it is no name of a file with more arguments.
        ParseResult parsed = root.Parse(args.Length > 0 ? args : ["--help"], new ParserConfiguration { ResponseFileTokenReplacer = null });
        // A screenful of help would bury the one line that says what is wrong.
        if (parsed.Action is ParseErrorAction)
        {
            terminal.WriteNotice("error", $"{string.Join("; ", parsed.Errors.Select(error => error.Message.TrimEnd('.')))}. muse --help lists the commands, muse COMMAND --help their options.");
            return ExitCode.BadUsage;
        }

        int code = await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = terminal.Out,
            Error = terminal.Error,
            // The library's own signal handling ends the process after two seconds; ours is in CommandAction.
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
        });
        return args.Length > 0 ? code : ExitCode.BadUsage;
    }
}

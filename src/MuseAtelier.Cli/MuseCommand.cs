using System.CommandLine;
using System.CommandLine.Invocation;
using MuseAtelier.Cli.Commands;

namespace MuseAtelier.Cli;

/// <summary>The command line of muse: its commands, and how bad usage is answered.</summary>
internal static class MuseCommand
{
    public static async Task<int> RunAsync(string[] args, Terminal terminal)
    {
        var root = new RootCommand($"Paints pictures with Stable Diffusion XL.\n\n{ExitCode.Help}")
        {
            RenderCommand.Create(terminal),
            CheckCommand.Create(terminal),
            InfoCommand.Create(terminal),
            ModelsCommand.Create(terminal),
            TokensCommand.Create(terminal),
        };

        // A prompt may begin with @: it is no name of a file with more arguments.
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        // A screenful of help would bury the one line that says what is wrong.
        if (parsed.Action is ParseErrorAction error) error.ShowHelp = false;
        int code = await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = terminal.Out,
            Error = terminal.Error,
            // The library's own signal handling ends the process after two seconds; ours is in CommandAction.
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
        });
        return parsed.Errors.Count > 0 ? ExitCode.BadUsage : code;
    }
}

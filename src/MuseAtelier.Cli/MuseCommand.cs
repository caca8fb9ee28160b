using System.CommandLine;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using MuseAtelier.Cli.Commands;

namespace MuseAtelier.Cli;

/// <summary>The command line of muse: its commands, how they are stopped, and how bad usage and failures are answered.</summary>
internal static class MuseCommand
{
    public static async Task<int> RunAsync(string[] args, Terminal terminal)
    {
        ParseResult parsed = Parse(args.Length > 0 ? args : ["--help"], terminal);
        // A screenful of help would bury the one line that says what is wrong.
        if (parsed.Action is ParseErrorAction)
        {
            terminal.WriteNotice("error", $"{string.Join("; ", parsed.Errors.Select(error => error.Message.TrimEnd('.')))}. muse --help lists the commands, muse COMMAND --help their options.");
            return ExitCode.BadUsage;
        }

        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(terminal.Stop);
        void Cancel(PosixSignalContext context)
        {
            // The first signal asks for an orderly end; a second one takes its usual course.
            context.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        // The library's own signal handling ends the process after two seconds, which may be too soon to clean up.
        var configuration = new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        try
        {
            int code = await parsed.InvokeAsync(configuration, cancellation.Token);
            return args.Length > 0 ? code : ExitCode.BadUsage;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            terminal.WriteNotice("error", "cancelled");
            return ExitCode.Cancelled;
        }
        catch (Exception exception) when (exception is MuseAtelierException or IOException or UnauthorizedAccessException)
        {
            terminal.WriteNotice("error", exception.Message);
            return ExitCode.Failed;
        }
    }

    private static ParseResult Parse(string[] args, Terminal terminal)
    {
        Command render = RenderCommand.Create(terminal), verify = VerifyCommand.Create(terminal), replay = ReplayCommand.Create(terminal);
        var root = new RootCommand("Paints pictures with Stable Diffusion XL.")
        {
            render,
            replay,
            verify,
            InfoCommand.Create(terminal),
            TokensCommand.Create(terminal),
            ModelsCommand.Create(terminal),
            CacheCommand.Create(terminal),
            CheckCommand.Create(terminal),
            PlanCommand.Create(terminal),
            BenchCommand.Create(terminal),
            DoctorCommand.Create(),
        };
        HelpPages.Attach(root, new Dictionary<Command, string[]> { [render] = RenderCommand.Help, [verify] = VerifyCommand.Help, [replay] = ReplayCommand.Help });
        // A prompt may begin with @: it is no name of a file with more arguments.
        return root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
    }
}

using System.CommandLine;
using System.Runtime.InteropServices;

namespace MuseAtelier.Cli.Commands;

/// <summary>How every command runs: it ends in order when a signal asks for that, and each failure becomes one line and an exit code.</summary>
internal static class CommandAction
{
    /// <summary>Sets what a command does; its result is the exit code.</summary>
    public static void SetAction(this Command command, Terminal terminal, Func<ParseResult, CancellationToken, Task<int>> action) =>
        command.SetAction((result, _) => RunAsync(terminal, stop => action(result, stop)));

    private static async Task<int> RunAsync(Terminal terminal, Func<CancellationToken, Task<int>> action)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(terminal.Stop);
        void Cancel(PosixSignalContext context)
        {
            // The first signal asks for an orderly end; a second one takes its usual course.
            context.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        try
        {
            return await action(cancellation.Token);
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
}

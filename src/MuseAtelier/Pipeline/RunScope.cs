using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Runtime;

namespace MuseAtelier.Pipeline;

/// <summary>
/// The run options that all runs of a batch share. Cancelling the token terminates them, which stops a run in the middle of a step.
/// </summary>
internal sealed class RunScope : IDisposable
{
    private readonly CancellationTokenRegistration _registration;

    /// <param name="device">The device that runs.</param>
    /// <param name="cancellationToken">Stops the runs.</param>
    public RunScope(ExecutionDevice device, CancellationToken cancellationToken)
    {
        Token = cancellationToken;
        Options = device.CreateRunOptions();
        _registration = cancellationToken.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, Options);
    }

    /// <summary>The options of every run; owned by this scope.</summary>
    public RunOptions Options { get; }

    /// <summary>The token that stops the runs.</summary>
    public CancellationToken Token { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The registration must end first, because its callback uses the options.
        _registration.Dispose();
        Options.Dispose();
    }
}

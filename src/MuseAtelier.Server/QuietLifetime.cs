using Microsoft.Extensions.Hosting;

namespace MuseAtelier.Server;

/// <summary>Leaves the signals of the process to the program, which stops the server itself.</summary>
internal sealed class QuietLifetime : IHostLifetime
{
    /// <inheritdoc/>
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

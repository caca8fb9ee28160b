using System.Diagnostics;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Serving;

/// <summary>A server in a process of its own.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private ServerProcess(Process process, Task<string> errors, Uri address)
    {
        _process = process;
        _errors = errors;
        Address = address;
    }

    /// <summary>Its address.</summary>
    public Uri Address { get; }

    /// <summary>Bytes of its anonymous memory; null if unknown.</summary>
    public long? AnonymousBytes => HeldMemory.AnonymousBytes(_process.Id);

    /// <summary>Starts a server, and waits until it listens.</summary>
    public static async Task<ServerProcess> StartAsync(StormDevice device, StormFolder folder)
    {
        string[] command =
        [
            .. SelfProcess.Command,
            "serve",
            "--device",
            device.Name(),
            "--cache",
            folder.Cache,
            "--gallery",
            folder.Place("gallery"),
            "--painted",
            folder.Place("painted.txt"),
        ];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!Uri.TryCreate(line, UriKind.Absolute, out Uri? address) || address.Scheme != "http")
                continue;
            // What the server logs must not fill the pipe.
            _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
            return new ServerProcess(process, errors, address);
        }

        throw new InvalidOperationException($"The server does not start: {await errors}");
    }

    /// <summary>Kills it as the system would: no code of it runs any more.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Ends it in good order.</summary>
    /// <returns>How it ended.</returns>
    public async Task<ChildResult> EndAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
            return new ChildResult(_process.ExitCode, "", await _errors);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
            return new ChildResult(null, "", await _errors);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }
}

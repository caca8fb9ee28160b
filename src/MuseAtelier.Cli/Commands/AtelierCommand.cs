using System.CommandLine;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Server;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse atelier</c>: serves the page and the HTTP APIs until it is stopped.</summary>
internal static class AtelierCommand
{
    /// <summary>The last lines of the command's help.</summary>
    public static readonly string[] Help =
    [
        "Example: muse atelier --model sdxl.safetensors --gallery ~/pictures",
        "",
        "Serves the page, its API (docs/http-api.md), AUTOMATIC1111's API (/sdapi/v1) and OpenAI's images API (/v1) until Ctrl+C. The",
        "page's address goes to stdout; warnings and errors go to stderr. Nothing is fetched from outside. Accepted pictures that are not",
        "painted yet are painted after the next start.",
    ];

    public static Command Create(Terminal terminal)
    {
        var isQuiet = new Option<bool>("--no-open")
        {
            Description = "Do not open the page in the browser. A page with a token is never opened.",
        };
        var command = new Command("atelier", "Opens the atelier in the browser, and serves its HTTP APIs.");
        var serving = new ServingChoices(command);
        command.Add(isQuiet);
        var choices = new AtelierChoices(command);
        command.SetAction(async (result, stop) =>
        {
            (ServerOptions options, bool isTokenDrawn) = serving.Read(result, choices.Read(result), Log);
            await ServeAsync(options, isTokenDrawn, result.GetValue(isQuiet), terminal, stop);
            // A server ends when it is told to, so its end is no failure.
            return ExitCode.Done;

            void Log(string line) => terminal.Error.WriteLine(Terminal.OneLine(line));
        });
        return command;
    }

    private static async Task ServeAsync(
        ServerOptions options, bool isTokenDrawn, bool isQuiet, Terminal terminal, CancellationToken stop)
    {
        await using WebApplication server = AtelierServer.Build(options);
        try
        {
            await server.StartAsync(stop);
        }
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            throw new PortTakenException(options.Port, exception);
        }

        Uri page = PageOf(server, options.Listen);
        string token = isTokenDrawn ? $"?token={options.Token}" : "";
        terminal.Out.WriteLine($"The atelier is open: {page}{token}");
        // Other users of the machine see the arguments of a browser, so that no token may be among them.
        if (!isQuiet && options.Token is null) Browser.TryOpen(page);
        await Task.Delay(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await server.StopAsync(CancellationToken.None);
    }

    private static Uri PageOf(WebApplication server, IPAddress? listen)
    {
        var bound = new Uri(server.Urls.First());
        bool isEverywhere = IPAddress.Any.Equals(listen) || IPAddress.IPv6Any.Equals(listen);
        return new UriBuilder(bound) { Host = isEverywhere ? Environment.MachineName : bound.Host, Path = "/" }.Uri;
    }
}

/// <summary>Another program listens on the port.</summary>
internal sealed class PortTakenException(int port, Exception inner)
    : MuseAtelierException(
        $"port {port} is in use by another program",
        "a free port",
        "Choose another one with --port N (--port 0 takes any free one), or end the other program; perhaps it is muse atelier itself.",
        inner);

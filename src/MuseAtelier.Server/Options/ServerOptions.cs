using System.Net;

namespace MuseAtelier.Server;

/// <summary>What the server serves, where it listens, and its limits.</summary>
internal sealed record ServerOptions
{
    /// <summary>The default port: the one that clients of AUTOMATIC1111's API try first.</summary>
    public const int DefaultPort = 7860;

    /// <summary>The models: paths of checkpoints, of packages, or of folders that hold several of them. At least one.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>The options with which each model is opened.</summary>
    public required AtelierOptions Atelier { get; init; }

    /// <summary>The folder of the pictures. It is created if it does not exist.</summary>
    public required string Gallery { get; init; }

    /// <summary>The folder of upscalers' models; null means that there are none.</summary>
    public string? Upscalers { get; init; }

    /// <summary>The port, 1 to 65535; 0 means any free port.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>The address to listen on; null means loopback alone. Any other address demands a token.</summary>
    public IPAddress? Listen { get; init; }

    /// <summary>The token that every request must present; null means none, which only loopback may have.</summary>
    public string? Token { get; init; }

    /// <summary>Receives lines of the log, warnings and errors alone, from any thread; null means no log.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Looks at drivers and libraries of the device, for the checklist; null means that the options alone are told.</summary>
    public Func<DeviceFinding>? Device { get; init; }

    /// <summary>The limits of requests.</summary>
    public ServerLimits Limits { get; init; } = new();

    /// <summary>Whether a token can be sent in headers: 16 to 512 visible ASCII characters.</summary>
    public static bool IsToken(string text) => text.Length is >= 16 and <= 512 && text.All(letter => letter is > ' ' and <= '~');

    /// <summary>Checks the options that do not concern a file.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public void ThrowIfInvalid()
    {
        if (Models.Count == 0) throw new ArgumentException("there is no model; expected at least one path.", nameof(Models));
        if (Port is < 0 or > 65535) throw new ArgumentException($"the port is {Port}; expected 0 to 65535.", nameof(Port));
        if (Token is { } token && !IsToken(token))
            throw new ArgumentException("the token is unfit; expected 16 to 512 visible ASCII characters.", nameof(Token));
        if (Token is null && Listen is { } address && !IPAddress.IsLoopback(address))
            throw new ArgumentException($"there is no token; expected one, because {address} is not loopback.", nameof(Token));
    }
}

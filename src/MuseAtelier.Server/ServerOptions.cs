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

    /// <summary>The port, 1 to 65535; 0 means any free port.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>The address to listen on; null means loopback alone. Any other address demands a token.</summary>
    public IPAddress? Listen { get; init; }

    /// <summary>The token that every request must present; null means none, which only loopback may have.</summary>
    public string? Token { get; init; }

    /// <summary>The limits of requests.</summary>
    public ServerLimits Limits { get; init; } = new();
}

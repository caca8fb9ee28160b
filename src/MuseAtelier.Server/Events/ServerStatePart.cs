using System.Text.Json.Nodes;

namespace MuseAtelier.Server.Events;

/// <summary>Adds the server itself to the state. A page that finds another instance has to load itself again.</summary>
internal sealed class ServerStatePart : IStatePart
{
    private readonly string _instance = Guid.NewGuid().ToString("N");

    /// <summary>The version of this program.</summary>
    public static string Version { get; } = typeof(Atelier).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <inheritdoc/>
    public void AddTo(JsonObject state) => state["server"] = new JsonObject
    {
        ["version"] = Version,
        ["instance"] = _instance,
    };
}

using System.Text.Json.Nodes;

namespace MuseAtelier.Server.Events;

/// <summary>All that a page needs to begin, from the parts of the server.</summary>
/// <param name="parts">The parts.</param>
internal sealed class ServerState(IEnumerable<IStatePart> parts)
{
    private readonly IStatePart[] _parts = [.. parts];

    /// <summary>The state at this moment.</summary>
    public JsonObject Write()
    {
        var state = new JsonObject();
        foreach (IStatePart part in _parts) part.AddTo(state);
        return state;
    }
}

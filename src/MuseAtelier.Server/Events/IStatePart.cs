using System.Text.Json.Nodes;

namespace MuseAtelier.Server.Events;

/// <summary>A part of the server that adds its members to the state, which pages begin with. Called from any thread.</summary>
internal interface IStatePart
{
    /// <summary>Adds the members.</summary>
    void AddTo(JsonObject state);
}

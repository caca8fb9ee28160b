using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Server.Events;

namespace MuseAtelier.Server.Models;

/// <summary>Adds the models, the device and its memory to the state.</summary>
internal sealed class ShelfStatePart(IModelShelf shelf) : IStatePart
{
    /// <inheritdoc/>
    public void AddTo(JsonObject state)
    {
        ShelfAnswer answer = ShelfAnswer.Of(shelf);
        SanctumState sanctum = shelf.Sanctum;
        state["models"] = JsonSerializer.SerializeToNode(answer.Models, WireJson.Options);
        if (answer.Device is { } device) state["device"] = device;
        state["sanctum"] = new JsonObject { ["held"] = sanctum.Held, ["budget"] = sanctum.Budget };
    }
}

using System.Text.Json.Nodes;
using MuseAtelier.Server.Events;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Jobs;

/// <summary>Adds the jobs, and what requests may choose from, to the state.</summary>
/// <param name="options">The limits.</param>
/// <param name="board">The jobs.</param>
/// <param name="shelf">Names the present model, which has a best size.</param>
/// <param name="upscalers">The ways to enlarge a picture between two passes.</param>
internal sealed class JobStatePart(ServerOptions options, IJobBoard board, IModelShelf shelf, UpscalerShelf upscalers) : IStatePart
{
    /// <inheritdoc/>
    public void AddTo(JsonObject state)
    {
        int bestSize = shelf.Current?.BestSize ?? new PictureRequest { Prompt = "" }.Width;
        var features = new OfferedFeatures(options.Atelier.LoraFolders.Count > 0, options.Atelier.EmbeddingFolders.Count > 0);
        state["offer"] = Offer.Write(options.Limits, bestSize, upscalers.All, features);
        state["jobs"] = JobJson.WriteArray(board.Jobs);
    }
}

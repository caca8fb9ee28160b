using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Automatic1111;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Uploads;
using MuseAtelier.Tests.Server.Host;

namespace MuseAtelier.Tests.Server.Automatic1111;

/// <summary>The readers of AUTOMATIC1111's calls over the parts of a running server.</summary>
internal static class CallReaders
{
    /// <summary>A reader of calls.</summary>
    /// <param name="server">The server.</param>
    /// <param name="store">The options that calls have changed.</param>
    /// <param name="loras">The LoRAs that prompts name; null means the server's, which has none.</param>
    public static PaintingFields Of(RunningServer server, OptionStore store, LoraCatalog? loras = null)
    {
        var limits = new ServerLimits();
        return new PaintingFields(
            server.Services.GetRequiredService<IModelShelf>(),
            store,
            new SourceCall(server.Services.GetRequiredService<UploadStore>(), limits),
            new SecondPass(server.Services.GetRequiredService<UpscalerShelf>(), limits),
            loras ?? server.Services.GetRequiredService<LoraCatalog>(),
            limits);
    }
}

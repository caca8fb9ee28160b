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
    public static PaintingFields Of(RunningServer server, OptionStore store)
    {
        var limits = new ServerLimits();
        return new PaintingFields(
            server.Services.GetRequiredService<IModelShelf>(),
            store,
            new SourceCall(server.Services.GetRequiredService<UploadStore>(), limits),
            new SecondPass(server.Services.GetRequiredService<UpscalerShelf>(), limits),
            server.Services.GetRequiredService<LoraCatalog>(),
            limits);
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using MuseAtelier.Server;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Serving;

/// <summary>A server in a process of its own, for <see cref="ServerStorm"/>. It writes its address to stdout when it listens.</summary>
internal static class ServeRun
{
    public static Command Command()
    {
        Option<StormDevice> device = StormCommand.Device();
        var cache = new Option<string>("--cache") { Description = "The package cache.", Required = true };
        var gallery = new Option<string>("--gallery") { Description = "The gallery.", Required = true };
        var painted = new Option<string>("--painted") { Description = "A file that gets a line for each picture.", Required = true };
        var command = new Command("serve", "Used by 'server': serves until it is killed or its stdin ends.")
        {
            device,
            cache,
            gallery,
            painted,
        };
        command.SetAction(
            async (result, stop) =>
            {
                using var record = new StreamWriter(result.GetRequiredValue(painted), append: true) { AutoFlush = true };
                using ActivityListener listener = Record(record);
                await using WebApplication app = AtelierServer.Build(
                    Options(result.GetValue(device), result.GetRequiredValue(cache), result.GetRequiredValue(gallery))
                );
                await app.StartAsync(stop);
                await Console.Out.WriteLineAsync(app.Urls.First());
                await Console.In.ReadToEndAsync(stop);
                await app.StopAsync(stop);
                return StormCommand.Passed;
            }
        );
        return command;
    }

    /// <summary>The options of a server for the Miniature on a free port.</summary>
    public static ServerOptions Options(StormDevice device, string cache, string gallery) =>
        new()
        {
            Models = [StormFolder.Model],
            Atelier = new AtelierOptions
            {
                Backend = device.Create(),
                CacheFolder = cache,
                Previews = true,
            },
            Gallery = gallery,
            Port = 0,
        };

    // A line for each picture that is painted: the time in ticks, and the seed.
    private static ActivityListener Record(StreamWriter record)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == AtelierTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                bool isPainted = activity.OperationName == AtelierTelemetry.RequestActivity && activity.Status != ActivityStatusCode.Error;
                if (!isPainted)
                    return;
                lock (record)
                    record.WriteLine(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{DateTime.UtcNow.Ticks} {activity.GetTagItem(AtelierTelemetry.SeedTag)}"
                        )
                    );
            },
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}

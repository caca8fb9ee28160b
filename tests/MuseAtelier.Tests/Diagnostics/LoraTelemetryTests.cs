using System.Collections.Concurrent;
using System.Diagnostics;
using MuseAtelier.Tests.Loras;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Diagnostics;

/// <summary>What an atelier reports of the LoRAs that it puts in force.</summary>
public sealed class LoraTelemetryTests(NarrowAtelier narrow, LoraFiles files) : IClassFixture<LoraFiles>
{
    [Fact]
    public async Task Switches_AreReportedWithTheirLorasAndWeights()
    {
        using var source = new ActivitySource("test caller of LoRAs");
        var activities = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = heard => heard.Name == AtelierTelemetry.ActivitySourceName || heard == source,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using Activity caller = source.StartActivity("caller")!;
        using var measured = new Measurements("loras");
        var messages = new Messages();
        AtelierOptions options = TestAtelier.Options with { Name = "loras", LoggerFactory = messages };
        PictureRequest plain = TestAtelier.Small with { Steps = 1 };
        PictureRequest changed = plain with { Loras = [new PictureLora { Path = files.A }, new PictureLora { Path = files.B }] };
        await using (Atelier atelier = await narrow.OpenAsync(options))
        {
            foreach (PictureRequest request in (PictureRequest[])[plain, changed, changed, plain])
                await atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        }

        // The second picture with the same LoRAs merges nothing.
        int[] ids = [AtelierEvents.LorasSwitched, AtelierEvents.WeightsMerged];
        Assert.Equal(
            [AtelierEvents.LorasSwitched, AtelierEvents.WeightsMerged, AtelierEvents.LorasSwitched],
            messages.All.Select(message => message.Id.Id).Where(ids.Contains));
        Activity[] own = [.. activities.Where(one => one.TraceId == caller.TraceId && one.OperationName == AtelierTelemetry.LoraActivity)];
        Assert.Equal([2, 0], own.Select(one => (int)one.GetTagItem(AtelierTelemetry.LoraCountTag)!));
        int weights = (int)own[0].GetTagItem(AtelierTelemetry.LoraWeightsTag)!;
        Assert.True(weights > 100);
        Assert.Equal(0, own[1].GetTagItem(AtelierTelemetry.LoraWeightsTag));
        Assert.StartsWith(
            FormattableString.Invariant($"loras: put 2 LoRAs in force, which change {weights} weights, in "),
            messages.Of(AtelierEvents.LorasSwitched)[0].Text, StringComparison.Ordinal);
        Assert.StartsWith(
            FormattableString.Invariant($"loras: merged {weights} weights with 2 LoRAs, in "),
            Assert.Single(messages.Of(AtelierEvents.WeightsMerged)).Text, StringComparison.Ordinal);
        Assert.Equal(weights, measured.Of(AtelierTelemetry.MergedWeights).Sum(one => one.Value));
        Assert.Equal(2, measured.Of(AtelierTelemetry.LoraSwitchDuration).Length);
    }
}

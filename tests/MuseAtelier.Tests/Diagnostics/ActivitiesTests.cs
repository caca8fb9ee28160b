using System.Collections.Concurrent;
using System.Diagnostics;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Diagnostics;

public sealed class ActivitiesTests(NarrowAtelier narrow)
{
    private const string Secret = "a secret garden";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Activities_OfRequests_AreChildrenOfTheirCallersAndHoldNoPrompt()
    {
        using var source = new ActivitySource("test caller");
        var all = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = heard => heard.Name == AtelierTelemetry.ActivitySourceName || heard == source,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = all.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        PictureRequest request = TestAtelier.Small with { Prompt = Secret, NegativePrompt = Secret, Steps = 2, Seed = ulong.MaxValue };
        using Activity caller = source.StartActivity("caller")!;
        await narrow.Atelier.GenerateAsync(request, cancellationToken: Cancellation);
        Assert.Same(caller, Activity.Current);
        await foreach (Picture _ in narrow.Atelier.GenerateManyAsync(request with { Seed = 5 }, 2, 1, cancellationToken: Cancellation))
            Assert.Same(caller, Activity.Current);
        var failing = new Reports<GenerationProgress>(report =>
        {
            if (report.Phase == GenerationPhase.Denoising) throw new InvalidDataException(Secret);
        });
        await Assert.ThrowsAsync<InvalidDataException>(() => narrow.Atelier.GenerateAsync(request, failing, Cancellation));

        // Other tests paint at the same time.
        Activity[] own = [.. all.Where(activity => activity.TraceId == caller.TraceId)];
        Activity[] requests = [.. own.Where(activity => activity.OperationName == AtelierTelemetry.RequestActivity)];
        Assert.Equal(4, requests.Length);
        Assert.All(requests, activity => Assert.Equal(caller.SpanId, activity.ParentSpanId));
        foreach (Activity one in requests[..3])
        {
            Activity[] children = [.. own.Where(activity => activity.ParentSpanId == one.SpanId).OrderBy(child => child.StartTimeUtc)];
            Assert.Equal(
                [AtelierTelemetry.QueueActivity, AtelierTelemetry.EncodeActivity, AtelierTelemetry.DenoiseActivity,
                    AtelierTelemetry.DecodeActivity],
                children.Select(child => child.OperationName));
            Assert.All(children, child => Assert.True(child.StartTimeUtc + child.Duration <= one.StartTimeUtc + one.Duration));
            Assert.Equal(ActivityStatusCode.Unset, one.Status);
        }

        Assert.Equal("18446744073709551615", requests[0].GetTagItem(AtelierTelemetry.SeedTag));
        Assert.Equal([256, 256, 2], ((string[])[AtelierTelemetry.WidthTag, AtelierTelemetry.HeightTag, AtelierTelemetry.StepsTag])
            .Select(tag => (int)requests[0].GetTagItem(tag)!));
        Assert.Equal("euler_a", requests[0].GetTagItem(AtelierTelemetry.SamplerTag));
        Assert.Equal([0, 0, 1], requests[..3].Select(one => (int)one.GetTagItem(AtelierTelemetry.PictureTag)!));
        Assert.Equal(ActivityStatusCode.Error, requests[3].Status);
        Assert.Equal(typeof(InvalidDataException).FullName, requests[3].GetTagItem(AtelierTelemetry.ErrorTypeTag));
        IEnumerable<string?> texts =
            own.SelectMany(one => one.TagObjects.Select(tag => tag.Value?.ToString()).Append(one.StatusDescription));
        Assert.DoesNotContain(texts, text => text?.Contains("secret", StringComparison.Ordinal) ?? false);
    }
}

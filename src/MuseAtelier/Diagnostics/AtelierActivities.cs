using System.Diagnostics;
using System.Globalization;

namespace MuseAtelier.Diagnostics;

/// <summary>Starts activities. Without a listener, nothing is started and nothing is computed.</summary>
internal static class AtelierActivities
{
    private static readonly ActivitySource Source = new(AtelierTelemetry.ActivitySourceName, AtelierMeter.Version);

    /// <summary>Starts a phase's activity, a child of the current one. The caller disposes it.</summary>
    /// <param name="name">The name of the activity.</param>
    public static Activity? StartPhase(string name) => Source.StartActivity(name);

    /// <summary>Starts the activity of putting LoRAs in force, a child of the current one. The caller disposes it.</summary>
    /// <param name="count">The number of LoRAs.</param>
    /// <param name="weights">The number of weights that they change.</param>
    public static Activity? StartLoras(int count, int weights)
    {
        Activity? activity = Source.StartActivity(AtelierTelemetry.LoraActivity);
        activity?.SetTag(AtelierTelemetry.LoraCountTag, count);
        activity?.SetTag(AtelierTelemetry.LoraWeightsTag, weights);
        return activity;
    }

    /// <summary>Starts the activity of a decoding, a child of the current one. The caller disposes it.</summary>
    /// <param name="picture">Index of the picture in its series.</param>
    public static Activity? StartDecoding(int picture)
    {
        Activity? activity = Source.StartActivity(AtelierTelemetry.DecodeActivity);
        activity?.SetTag(AtelierTelemetry.PictureTag, picture);
        return activity;
    }

    /// <summary>Starts the activity of a request, a child of the current one. The caller disposes it.</summary>
    /// <param name="request">The request of the series' first picture.</param>
    /// <param name="first">Index of the first picture of the batch.</param>
    /// <param name="priority">The priority.</param>
    public static Activity? StartRequest(PictureRequest request, int first, GenerationPriority priority)
    {
        Activity? activity = Source.StartActivity(AtelierTelemetry.RequestActivity);
        if (activity is not { IsAllDataRequested: true }) return activity;
        activity.SetTag(AtelierTelemetry.WidthTag, request.Width);
        activity.SetTag(AtelierTelemetry.HeightTag, request.Height);
        activity.SetTag(AtelierTelemetry.StepsTag, StepSpan.Of(request).Run);
        activity.SetTag(AtelierTelemetry.SamplerTag, request.Sampler.ToString());
        activity.SetTag(AtelierTelemetry.SeedTag, request.Seed.ToString(CultureInfo.InvariantCulture));
        activity.SetTag(AtelierTelemetry.PictureTag, first);
        activity.SetTag(AtelierTelemetry.PriorityTag, NameOf(priority));
        return activity;
    }

    /// <summary>Reports a wait in the queue that has ended.</summary>
    /// <param name="request">The activity of the request; null if there is none.</param>
    public static void ReportWait(Activity? request)
    {
        if (request is null) return;
        // The activity is started afterwards, because one that is started before would become the current one of the caller's code.
        Source.StartActivity(
            AtelierTelemetry.QueueActivity, ActivityKind.Internal, request.Context, startTime: request.StartTimeUtc)?.Dispose();
    }

    private static string NameOf(GenerationPriority priority) => priority switch
    {
        GenerationPriority.Low => "low",
        GenerationPriority.High => "high",
        _ => "normal",
    };
}

using Microsoft.Extensions.Logging;

namespace MuseAtelier.Diagnostics;

/// <summary>The messages of an atelier. None contains text of a prompt.</summary>
internal static partial class AtelierLog
{
    /// <summary>The category of an atelier's messages.</summary>
    public const string Category = "MuseAtelier";

    /// <summary>The category of ONNX Runtime's messages.</summary>
    public const string OnnxCategory = "MuseAtelier.OnnxRuntime";

    [LoggerMessage(
        AtelierEvents.Opened, LogLevel.Information, "{Atelier}: opened {Model} on {Device} within {Budget} in {Seconds:F2} s.",
        EventName = nameof(AtelierEvents.Opened))]
    public static partial void Opened(ILogger logger, string atelier, string model, string device, string budget, double seconds);

    [LoggerMessage(
        AtelierEvents.Disposing, LogLevel.Information, "{Atelier}: ends; {Requests} requests wait, finishes them: {Drains}.",
        EventName = nameof(AtelierEvents.Disposing))]
    public static partial void Disposing(ILogger logger, string atelier, int requests, bool drains);

    [LoggerMessage(
        AtelierEvents.Disposed, LogLevel.Information, "{Atelier}: has ended.", EventName = nameof(AtelierEvents.Disposed))]
    public static partial void Disposed(ILogger logger, string atelier);

    [LoggerMessage(
        AtelierEvents.PlanChosen, LogLevel.Debug,
        "{Atelier}: {Width}x{Height}, {Pictures} pictures in a batch, by the plan {Offload} with a peak of {Bytes} bytes.",
        EventName = nameof(AtelierEvents.PlanChosen))]
    public static partial void PlanChosen(
        ILogger logger, string atelier, int width, int height, int pictures, string offload, long bytes);

    [LoggerMessage(
        AtelierEvents.PictureFinished, LogLevel.Debug,
        "{Atelier}: finished {Width}x{Height}, {Steps} steps, seed {Seed}, in {Seconds:F3} s.",
        EventName = nameof(AtelierEvents.PictureFinished))]
    public static partial void PictureFinished(
        ILogger logger, string atelier, int width, int height, int steps, ulong seed, double seconds);

    [LoggerMessage(
        AtelierEvents.MemoryRetried, LogLevel.Warning, "{Atelier}: {Notice}", EventName = nameof(AtelierEvents.MemoryRetried))]
    public static partial void MemoryRetried(ILogger logger, string atelier, string notice, Exception exception);

    [LoggerMessage(
        AtelierEvents.LorasSwitched, LogLevel.Debug,
        "{Atelier}: put {Loras} LoRAs in force, which change {Weights} weights, in {Seconds:F3} s.",
        EventName = nameof(AtelierEvents.LorasSwitched))]
    public static partial void LorasSwitched(ILogger logger, string atelier, int loras, int weights, double seconds);

    [LoggerMessage(
        AtelierEvents.WeightsMerged, LogLevel.Debug,
        "{Atelier}: merged {Weights} weights with {Loras} LoRAs, in {Seconds:F3} s of all threads together.",
        EventName = nameof(AtelierEvents.WeightsMerged))]
    public static partial void WeightsMerged(ILogger logger, string atelier, long weights, int loras, double seconds);

    [LoggerMessage(
        AtelierEvents.QueueFull, LogLevel.Warning, "{Atelier}: refused a request, because {Capacity} wait.",
        EventName = nameof(AtelierEvents.QueueFull))]
    public static partial void QueueFull(ILogger logger, string atelier, int capacity);

    [LoggerMessage(
        AtelierEvents.RequestFailed, LogLevel.Error, "{Atelier}: a request failed.", EventName = nameof(AtelierEvents.RequestFailed))]
    public static partial void RequestFailed(ILogger logger, string atelier, Exception exception);

    [LoggerMessage(
        AtelierEvents.RequestCancelled, LogLevel.Debug, "{Atelier}: a request was cancelled after {Seconds:F3} s.",
        EventName = nameof(AtelierEvents.RequestCancelled))]
    public static partial void RequestCancelled(ILogger logger, string atelier, double seconds);

    [LoggerMessage(
        EventId = AtelierEvents.OnnxRuntimeMessage, Message = "{Location}: {Text}", EventName = nameof(AtelierEvents.OnnxRuntimeMessage))]
    public static partial void OnnxRuntimeMessage(ILogger logger, LogLevel level, string location, string text);
}

using Microsoft.Extensions.Logging;

namespace MuseAtelier.Cuda.Devices;

/// <summary>The messages that this project writes to the host's log.</summary>
internal static partial class CudaLog
{
    [LoggerMessage(
        AtelierEvents.PinnedMemoryShort, LogLevel.Warning,
        "Pinned memory is short: {Stages} stages of {Component} come from their file, which is slower.",
        EventName = nameof(AtelierEvents.PinnedMemoryShort))]
    public static partial void PinnedMemoryShort(ILogger logger, int stages, string component);

    [LoggerMessage(
        AtelierEvents.CaptureFailed, LogLevel.Warning, "Steps cannot be captured and are run plainly: {Reason}",
        EventName = nameof(AtelierEvents.CaptureFailed))]
    public static partial void CaptureFailed(ILogger logger, string reason);

    [LoggerMessage(
        AtelierEvents.Captured, LogLevel.Debug, "Captured a step: {Nodes} nodes.", EventName = nameof(AtelierEvents.Captured))]
    public static partial void Captured(ILogger logger, int nodes);
}

using Microsoft.Extensions.Logging;

namespace MuseAtelier.Cuda.Devices;

/// <summary>The messages that this project writes to the host's log.</summary>
internal static partial class CudaLog
{
    [LoggerMessage(1, LogLevel.Warning, "Pinned memory is short: {Stages} stages of {Component} come from their file, which is slower.")]
    public static partial void PinnedMemoryShort(ILogger logger, int stages, string component);

    [LoggerMessage(2, LogLevel.Warning, "Steps cannot be captured and are run plainly: {Reason}")]
    public static partial void CaptureFailed(ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Information, "Captured a step: {Nodes} nodes.")]
    public static partial void Captured(ILogger logger, int nodes);
}

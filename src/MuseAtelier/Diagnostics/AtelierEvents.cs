namespace MuseAtelier;

/// <summary>
/// The event ids of the log. An atelier logs to its own <see cref="AtelierOptions.LoggerFactory"/>. No message contains text of a prompt.
/// <list type="table">
/// <listheader><term>id, name</term><description>level, category, content</description></listheader>
/// <item><term>100 Opened</term><description>Information, <c>MuseAtelier</c>: model, device, budget, seconds.</description></item>
/// <item><term>101 Disposed</term><description>Information, <c>MuseAtelier</c>.</description></item>
/// <item><term>102 Disposing</term><description>Information, <c>MuseAtelier</c>: requests that are left, and whether they are
/// finished.</description></item>
/// <item><term>110 PlanChosen</term><description>Debug, <c>MuseAtelier</c>: the plan of a batch that differs from the one
/// before.</description></item>
/// <item><term>111 PictureFinished</term><description>Debug, <c>MuseAtelier</c>: size, steps, seed, seconds.</description></item>
/// <item><term>112 MemoryRetried</term><description>Warning, <c>MuseAtelier</c>: memory ran out; the smaller plan.</description></item>
/// <item><term>113 LorasSwitched</term><description>Debug, <c>MuseAtelier</c>: the number of LoRAs that a pass is painted with where it
/// differs in them from the one before, of weights that they change, seconds.</description></item>
/// <item><term>114 WeightsMerged</term><description>Debug, <c>MuseAtelier</c>: the number of weights that were merged in a batch, of LoRAs,
/// seconds of all threads together.</description></item>
/// <item><term>120 QueueFull</term><description>Warning, <c>MuseAtelier</c>: a request was refused.</description></item>
/// <item><term>121 RequestFailed</term><description>Error, <c>MuseAtelier</c>: the exception.</description></item>
/// <item><term>122 RequestCancelled</term><description>Debug, <c>MuseAtelier</c>.</description></item>
/// <item><term>200 OnnxRuntimeMessage</term><description>The level of ONNX Runtime, <c>MuseAtelier.OnnxRuntime</c>: a message of ONNX
/// Runtime.</description></item>
/// <item><term>300 CaptureFailed</term><description>Warning, <c>MuseAtelier.Cuda</c>: steps are not captured.</description></item>
/// <item><term>301 Captured</term><description>Debug, <c>MuseAtelier.Cuda</c>: a step was captured.</description></item>
/// <item><term>302 PinnedMemoryShort</term><description>Warning, <c>MuseAtelier.Cuda</c>: weights are read from pageable
/// memory.</description></item>
/// </list>
/// </summary>
public static class AtelierEvents
{
    /// <summary>A model was opened.</summary>
    public const int Opened = 100;

    /// <summary>The atelier's thread has ended, and everything is released.</summary>
    public const int Disposed = 101;

    /// <summary>A disposal began.</summary>
    public const int Disposing = 102;

    /// <summary>A plan was put in force.</summary>
    public const int PlanChosen = 110;

    /// <summary>A picture is finished.</summary>
    public const int PictureFinished = 111;

    /// <summary>The device's memory ran out, and the rest of the batch is painted by a smaller plan.</summary>
    public const int MemoryRetried = 112;

    /// <summary>Other LoRAs were put in force, or none.</summary>
    public const int LorasSwitched = 113;

    /// <summary>Weights were merged with LoRAs.</summary>
    public const int WeightsMerged = 114;

    /// <summary>A request was refused, because the queue was full.</summary>
    public const int QueueFull = 120;

    /// <summary>An accepted request failed.</summary>
    public const int RequestFailed = 121;

    /// <summary>An accepted request was cancelled.</summary>
    public const int RequestCancelled = 122;

    /// <summary>A message of ONNX Runtime.</summary>
    public const int OnnxRuntimeMessage = 200;

    /// <summary>Steps are not captured.</summary>
    public const int CaptureFailed = 300;

    /// <summary>A step was captured.</summary>
    public const int Captured = 301;

    /// <summary>Weights are read from pageable memory.</summary>
    public const int PinnedMemoryShort = 302;
}

namespace MuseAtelier;

/// <summary>
/// The names of the meter, of the activity source and of what they report. Nothing that is reported contains text of a prompt. Instruments
/// and tags follow OpenTelemetry's conventions. Every measurement has the tags <see cref="AtelierTag"/> and <see cref="DeviceTag"/>.
/// </summary>
public static class AtelierTelemetry
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "MuseAtelier";

    /// <summary>The name of the activity source.</summary>
    public const string ActivitySourceName = "MuseAtelier";

    /// <summary>Instrument: requests that wait. Observable up-down counter, unit <c>{request}</c>.</summary>
    public const string QueueLength = "muse.queue.length";

    /// <summary>Instrument: the time from a request to its first work, also of requests that were cancelled before. Histogram, unit
    /// <c>s</c>.</summary>
    public const string QueueWaitTime = "muse.queue.wait_time";

    /// <summary>Instrument: the time of a phase of a batch; of the decoding, of each picture. Histogram, unit <c>s</c>, with the tag
    /// <see cref="PhaseTag"/>.</summary>
    public const string PhaseDuration = "muse.phase.duration";

    /// <summary>
    /// Instrument: the time of an evaluation of the UNet for the whole batch. Histogram, unit <c>s</c>; the rate of its count is the number
    /// of evaluations a second.
    /// </summary>
    public const string StepDuration = "muse.step.duration";

    /// <summary>
    /// Instrument: the time of putting other LoRAs in force than those of the batch before, or none. Histogram, unit <c>s</c>. On a
    /// processor the weights of a part are merged when it first runs, and that time belongs to the part's phase.
    /// </summary>
    public const string LoraSwitchDuration = "muse.loras.switch.duration";

    /// <summary>Instrument: weights that were merged with LoRAs. Counter, unit <c>{weight}</c>.</summary>
    public const string MergedWeights = "muse.loras.merged_weights";

    /// <summary>
    /// Instrument: memory that the process holds, of the kind that counts for the device. Observable gauge, unit <c>By</c>; reported with
    /// <see cref="AtelierOptions.WatchMemory"/> only.
    /// </summary>
    public const string MemoryUsage = "muse.memory.usage";

    /// <summary>Instrument: the budget of that memory. Observable gauge, unit <c>By</c>.</summary>
    public const string MemoryLimit = "muse.memory.limit";

    /// <summary>Instrument: pictures that were delivered. Counter, unit <c>{picture}</c>.</summary>
    public const string Pictures = "muse.pictures";

    /// <summary>Instrument: accepted requests that failed. Counter, unit <c>{request}</c>, with the tag
    /// <see cref="ErrorTypeTag"/>.</summary>
    public const string RequestFailures = "muse.request.failures";

    /// <summary>Instrument: accepted requests that were cancelled, by their callers or by a disposal. Counter, unit
    /// <c>{request}</c>.</summary>
    public const string RequestCancellations = "muse.request.cancellations";

    /// <summary>Instrument: requests that were refused because the queue was full. Counter, unit <c>{request}</c>.</summary>
    public const string RequestRejections = "muse.request.rejections";

    /// <summary>
    /// Activity: a request, from the call to its end; each batch of a series is one. Its parent is the caller's current activity. It has
    /// the tags of the atelier and of the request, and <see cref="ErrorTypeTag"/> if it failed or was cancelled.
    /// </summary>
    public const string RequestActivity = "muse.request";

    /// <summary>Activity: the time in the queue. A child of <see cref="RequestActivity"/>, like the following ones.</summary>
    public const string QueueActivity = "muse.queue";

    /// <summary>
    /// Activity: putting other LoRAs in force than those of the batch before, or none. It has the tags <see cref="LoraCountTag"/> and
    /// <see cref="LoraWeightsTag"/>.
    /// </summary>
    public const string LoraActivity = "muse.loras";

    /// <summary>Activity: text encoders, cross-attention and time embeddings.</summary>
    public const string EncodeActivity = "muse.encode";

    /// <summary>Activity: the denoising of a batch.</summary>
    public const string DenoiseActivity = "muse.denoise";

    /// <summary>Activity: the decoding of a picture.</summary>
    public const string DecodeActivity = "muse.decode";

    /// <summary>Tag: <see cref="AtelierOptions.Name"/>, or the model's name.</summary>
    public const string AtelierTag = "muse.atelier.name";

    /// <summary>Tag: the kind of device, <c>cpu</c> or <c>cuda</c>.</summary>
    public const string DeviceTag = "muse.device.kind";

    /// <summary>Tag: <c>text</c>, <c>conditioning</c>, <c>denoising</c> or <c>decoding</c>.</summary>
    public const string PhaseTag = "muse.phase";

    /// <summary>Tag: the full name of the exception's type.</summary>
    public const string ErrorTypeTag = "error.type";

    /// <summary>Tag of activities: width of the picture in px.</summary>
    public const string WidthTag = "muse.request.width";

    /// <summary>Tag of activities: height of the picture in px.</summary>
    public const string HeightTag = "muse.request.height";

    /// <summary>Tag of activities: steps that run for the request.</summary>
    public const string StepsTag = "muse.request.steps";

    /// <summary>Tag of activities: the sampler's name.</summary>
    public const string SamplerTag = "muse.request.sampler";

    /// <summary>Tag of activities: the seed of the request's first picture, in decimal digits, because it may exceed 63 bits.</summary>
    public const string SeedTag = "muse.request.seed";

    /// <summary>Tag of activities: <c>low</c>, <c>normal</c> or <c>high</c>.</summary>
    public const string PriorityTag = "muse.request.priority";

    /// <summary>Tag of activities: the number of LoRAs that are put in force.</summary>
    public const string LoraCountTag = "muse.loras.count";

    /// <summary>Tag of activities: the number of weights that they change.</summary>
    public const string LoraWeightsTag = "muse.loras.weights";

    /// <summary>Tag of activities: index of the picture, or of the first picture of the batch, in its series.</summary>
    public const string PictureTag = "muse.picture.index";
}

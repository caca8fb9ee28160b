using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Sampling;

namespace MuseAtelier;

/// <summary>
/// The settings of an atelier, which do not change after it was opened. Opening refuses options out of range with an
/// <see cref="ArgumentException"/>.
/// </summary>
public sealed record AtelierOptions
{
    /// <summary>The largest <see cref="QueueCapacity"/>.</summary>
    public const int LargestQueueCapacity = 100_000;

    /// <summary>
    /// The kind of device: <c>CpuBackend.Create()</c> of MuseAtelier.Cpu, or <c>CudaBackend.Create()</c> of MuseAtelier.Cuda.
    /// </summary>
    public required Backend Backend { get; init; }

    /// <summary>The folder for exported checkpoints; null means <c>MuseAtelier</c> in the user's local application data.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>
    /// The arithmetic of the model's parts; null means the backend's own. A package that was exported with another arithmetic is refused.
    /// </summary>
    public Precisions? Precisions { get; init; }

    /// <summary>
    /// Folders in which <c>&lt;lora:name:0.8&gt;</c> of a prompt finds LoRAs, with their subfolders; none by default.
    /// </summary>
    public IReadOnlyList<string> LoraFolders { get; init; } = [];

    /// <summary>Folders in which prompts find embeddings (textual inversion) by name, with their subfolders; none by default.</summary>
    public IReadOnlyList<string> EmbeddingFolders { get; init; } = [];

    /// <summary>
    /// Path of a VAE's file, a <c>.safetensors</c> file, that replaces the model's own; null means the model's own. It is exported once,
    /// into an overlay beside the model's package.
    /// </summary>
    public string? VaeFile { get; init; }

    /// <summary>
    /// Whether opening checks every file's digest, which reads the whole package. It checks the files' sizes in any case.
    /// </summary>
    public bool VerifyDigests { get; init; }

    /// <summary>
    /// The memory of the card that the process may hold, as the driver counts it: the context and the libraries' code included. Null means
    /// <see cref="MemoryBudget.DeviceDefault"/>, or the free memory of the card if that is less. Has no effect on a processor; pictures
    /// then carry a notice.
    /// </summary>
    /// <example><c>DeviceMemory = MemoryBudget.Parse("8GiB")</c></example>
    public MemoryBudget? DeviceMemory { get; init; }

    /// <summary>
    /// The memory of the machine that the process may hold if it runs on a processor. Pages of mapped files do not count. Null means the
    /// memory that is free when the atelier is opened: the least that the machine, the control groups above the process and the process's
    /// own limits leave. Has no effect on a card; pictures then carry a notice.
    /// </summary>
    /// <example><c>HostMemory = MemoryBudget.Parse("6GiB")</c></example>
    public MemoryBudget? HostMemory { get; init; }

    /// <summary>Where the denoiser's weights are between the steps.</summary>
    public OffloadMode Offload { get; init; } = OffloadMode.Auto;

    /// <summary>
    /// Whether the engine reads every 5 ms from the driver how much memory the process holds; <see cref="Picture.Memory"/> then has the
    /// peak.
    /// </summary>
    public bool WatchMemory { get; init; }

    /// <summary>Whether the VAE decodes in tiles.</summary>
    public VaeTiling VaeTiling { get; init; } = VaeTiling.Auto;

    /// <summary>The size of the tiles with <see cref="VaeTiling.Tiled"/>; null means 64x64 latents.</summary>
    public TileSize? VaeTile { get; init; }

    /// <summary>
    /// Whether the VAE decodes in fp32 even where fp16 is the default. Use it to reproduce a picture whose fp16 decoding overflowed. Has no
    /// effect if the package has no fp32 decoder.
    /// </summary>
    public bool DecodesInFp32 { get; init; }

    /// <summary>Whether progress reports carry a preview of the latents.</summary>
    public bool Previews { get; init; }

    /// <summary>
    /// The least time between two previews of a batch; from zero, which means one for every step. Reports of steps in between carry none.
    /// Where steps are short, as on a card, a program that shows a few previews a second saves the time of the others.
    /// </summary>
    public TimeSpan PreviewInterval { get; init; }

    /// <summary>Samplers that requests can name besides those of this library. No two samplers may have the same name.</summary>
    [Experimental(Experiments.Sampling)]
    public IReadOnlyList<SamplerRegistration> Samplers { get; init; } = [];

    /// <summary>Noise sources that requests can name besides those of this library. No two sources may have the same name.</summary>
    [Experimental(Experiments.Sampling)]
    public IReadOnlyList<NoiseSourceRegistration> NoiseSources { get; init; } = [];

    /// <summary>
    /// The name of this atelier in metrics, activities and log messages, to tell several ateliers apart: one line of 1 to 64 characters.
    /// Null means the model's name.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>
    /// The number of requests that may wait, 1 to <see cref="LargestQueueCapacity"/>, besides the one that is painted. Further requests
    /// are refused with <see cref="QueueFullException"/>. Each batch of a series is a request; the batches after the first count as
    /// waiting, but are never refused, because the series was accepted.
    /// </summary>
    public int QueueCapacity { get; init; } = 1024;

    /// <summary>
    /// What <see cref="IDisposable.Dispose"/> and <see cref="IAsyncDisposable.DisposeAsync"/> do with the requests that are left.
    /// <see cref="IAtelier.DrainAsync"/> finishes them in any case.
    /// </summary>
    public DisposalMode Disposal { get; init; } = DisposalMode.Abort;

    /// <summary>
    /// Receives the log of this atelier and of its sessions in ONNX Runtime (<see cref="AtelierEvents"/>); null means no log. ONNX
    /// Runtime's messages that belong to no session, such as those of its environment, go to the atelier of the process that was opened
    /// last.
    /// </summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>
    /// Creates the meter (<see cref="AtelierTelemetry"/>) and owns it; null means a meter that all ateliers of the process share.
    /// </summary>
    public IMeterFactory? MeterFactory { get; init; }

    /// <summary>The time between two readings with <see cref="WatchMemory"/>; longer in programs that only show the memory.</summary>
    internal TimeSpan WatchInterval { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>The memory whose budget counts: a processor's weights lie in host memory, a card's in its own.</summary>
    internal MemoryKind CountedMemory => Backend.Profile.MapsWeights ? MemoryKind.Host : MemoryKind.Device;

    /// <summary>The budget that counts for the backend; null if none is declared.</summary>
    internal MemoryBudget? DeclaredBudget => CountedMemory == MemoryKind.Host ? HostMemory : DeviceMemory;

    /// <summary>The budget that is declared for the other kind of memory; null if none is.</summary>
    internal MemoryBudget? IgnoredBudget => CountedMemory == MemoryKind.Host ? DeviceMemory : HostMemory;

    /// <summary>Bytes of the budget that counts: the declared budget, or the default of the backend.</summary>
    /// <param name="availableBytes">
    /// Bytes of the card's memory that a plan may take, which bound the default budget of a card; <see cref="long.MaxValue"/> if no card is
    /// open.
    /// </param>
    internal long BudgetBytes(long availableBytes = long.MaxValue)
    {
        if (DeclaredBudget is { } declared) return declared.Bytes;
        return CountedMemory == MemoryKind.Host ? Backend.DefaultHostMemory() : ResidencyPlanner.DefaultBudget(availableBytes);
    }

    /// <summary>The samplers and noise sources that requests can name.</summary>
    internal SamplingCatalogs Catalogs => SamplingCatalogs.With(Samplers, NoiseSources);

    internal PackageChoice PackageChoice => new(Backend.Lowering, Precisions, CacheFolder, VerifyDigests) { VaeFile = VaeFile };

    /// <summary>
    /// Checks that a request is in range for an atelier with these options, before a model is opened for it. The request may name samplers
    /// and noise sources that the options register.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <exception cref="PictureRequestException">The request is out of range, or its prompt names a LoRA that is not there.</exception>
    /// <exception cref="LoraFolderException">A folder of LoRAs cannot be read.</exception>
    /// <exception cref="EmbeddingFolderException">A folder of embeddings cannot be read.</exception>
    /// <exception cref="CheckpointException">A prompt names an embedding that cannot be used.</exception>
    /// <exception cref="ArgumentException">The options are out of range.</exception>
    /// <exception cref="ArgumentNullException">The request is null, or a member that must not be null is.</exception>
    public void ThrowIfUnpaintable(PictureRequest request)
    {
        OptionRules.Check(this);
        PictureRequest resolved = LoraPrompts.Resolve(request, LoraFolders).Request;
        RequestRules.Check(resolved, Catalogs.Names);
        var embeddings = EmbeddingFolder.Of(EmbeddingFolders);
        _ = RequestPrompts.Of(resolved, folder: embeddings);
        if (resolved.Hires is not null) _ = RequestPrompts.Of(HiresRules.SecondPassOf(resolved), folder: embeddings);
    }

    /// <summary>Opens the package of a model for these options, after it is known that the backend can run here.</summary>
    /// <exception cref="MuseAtelierException">The backend or the model cannot be used.</exception>
    internal ModelPackage OpenPackage(string model, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        OpenFileLimitException.ThrowIfTooLow();
        Backend.Require();
        return ModelPackage.OpenFor(model, PackageChoice, progress, cancellationToken);
    }

    /// <summary>Opens the package of an upscaler for these options, after it is known that the backend can run here.</summary>
    /// <exception cref="MuseAtelierException">The backend or the upscaler cannot be used.</exception>
    internal ModelPackage OpenUpscaler(string path, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        OpenFileLimitException.ThrowIfTooLow();
        Backend.Require();
        return ModelPackage.OpenFor(path, PackageChoice with { IsUpscaler = true, VaeFile = null }, progress, cancellationToken);
    }
}

using Microsoft.Extensions.Configuration;

namespace MuseAtelier.Hosting;

/// <summary>
/// The settings of an atelier in a host. Except for <see cref="Backend"/>, <see cref="BackendFactory"/>, <see cref="WarmUpRequest"/> and
/// <see cref="Configure"/>, each can come from configuration, under its own name. They are validated when the host starts and read once:
/// a later change of the configuration has no effect.
/// </summary>
public sealed class MuseAtelierHostOptions
{
    /// <summary>
    /// Path of a package's folder or of an SDXL single-file checkpoint, which is exported once into the cache. A relative path is relative
    /// to the content root of the host. Required.
    /// </summary>
    public string? Model { get; set; }

    /// <summary>
    /// The kind of device: <c>CpuBackend.Create()</c> of MuseAtelier.Cpu, or <c>CudaBackend.Create()</c> of MuseAtelier.Cuda. Either this
    /// or <see cref="BackendFactory"/> is required.
    /// </summary>
    public Backend? Backend { get; set; }

    /// <summary>Creates the backend from the services of the host, when the atelier is opened.</summary>
    public Func<IServiceProvider, Backend>? BackendFactory { get; set; }

    /// <summary>
    /// The memory of the card that the process may hold, such as <c>8GiB</c> (<see cref="AtelierOptions.DeviceMemory"/>); null means the
    /// default of the atelier.
    /// </summary>
    public string? DeviceMemory { get; set; }

    /// <summary>
    /// The memory of the machine that the process may hold if it runs on a processor, such as <c>6GiB</c>
    /// (<see cref="AtelierOptions.HostMemory"/>); null means the memory that is free when the atelier is opened.
    /// </summary>
    public string? HostMemory { get; set; }

    /// <summary>
    /// The folder for exported checkpoints (<see cref="AtelierOptions.CacheFolder"/>); null means <c>MuseAtelier</c> in the user's local
    /// application data. A relative path is relative to the content root of the host.
    /// </summary>
    public string? CacheFolder { get; set; }

    /// <summary>
    /// Folders in which prompts find LoRAs by name (<see cref="AtelierOptions.LoraFolders"/>); none by default. Relative paths are relative
    /// to the content root of the host. In configuration, a list, or one path alone.
    /// </summary>
    public IReadOnlyList<string> LoraFolders { get; set; } = [];

    /// <summary>
    /// Folders in which prompts find embeddings by name (<see cref="AtelierOptions.EmbeddingFolders"/>); none by default. Relative paths
    /// are relative to the content root of the host. In configuration, a list, or one path alone.
    /// </summary>
    public IReadOnlyList<string> EmbeddingFolders { get; set; } = [];

    /// <summary>
    /// Path of a VAE's file that replaces the model's own (<see cref="AtelierOptions.VaeFile"/>); null means the model's own. A relative
    /// path is relative to the content root of the host.
    /// </summary>
    public string? VaeFile { get; set; }

    /// <summary>Whether opening checks every file's digest (<see cref="AtelierOptions.VerifyDigests"/>).</summary>
    public bool VerifyDigests { get; set; }

    /// <summary>Where the denoiser's weights are between the steps (<see cref="AtelierOptions.Offload"/>).</summary>
    public OffloadMode Offload { get; set; } = OffloadMode.Auto;

    /// <summary>Whether the engine measures the memory that the process holds (<see cref="AtelierOptions.WatchMemory"/>).</summary>
    public bool WatchMemory { get; set; }

    /// <summary>Whether the VAE decodes in tiles (<see cref="AtelierOptions.VaeTiling"/>).</summary>
    public VaeTiling VaeTiling { get; set; } = VaeTiling.Auto;

    /// <summary>Whether the VAE decodes in fp32 even where fp16 is the default (<see cref="AtelierOptions.DecodesInFp32"/>).</summary>
    public bool DecodesInFp32 { get; set; }

    /// <summary>Whether progress reports carry a preview of the latents (<see cref="AtelierOptions.Previews"/>).</summary>
    public bool Previews { get; set; }

    /// <summary>
    /// The number of requests that may wait, 1 to 100,000 (<see cref="AtelierOptions.QueueCapacity"/>). It also limits the requests that
    /// wait for the opening.
    /// </summary>
    public int QueueCapacity { get; set; } = 1024;

    /// <summary>
    /// Whether the requests that are left are cancelled or finished when the host stops or its services are disposed. With
    /// <see cref="DisposalMode.Drain"/> they are finished, until the host's shutdown timeout ends; then the rest is cancelled.
    /// </summary>
    public DisposalMode Disposal { get; set; } = DisposalMode.Abort;

    /// <summary>When the atelier is opened.</summary>
    public WarmUpMode WarmUp { get; set; } = WarmUpMode.InBackground;

    /// <summary>
    /// Whether the warm-up paints a picture after opening, so that everything is loaded before the first request. The picture is discarded.
    /// </summary>
    public bool WarmUpPicture { get; set; }

    /// <summary>
    /// The picture that the warm-up paints if <see cref="WarmUpPicture"/> is set; null means one of 256x256 px with one step. Sessions and
    /// captured steps belong to a size: give the size of the pictures that will be requested.
    /// </summary>
    public PictureRequest? WarmUpRequest { get; set; }

    /// <summary>
    /// Changes the options with which the atelier is opened, for what has no setting here:
    /// <c>o.Configure = options => options with { VaeTile = new TileSize(48, 48) }</c>. It receives the options that follow from the other
    /// settings. The host decides on <see cref="AtelierOptions.Disposal"/> in any case.
    /// </summary>
    public Func<AtelierOptions, AtelierOptions>? Configure { get; set; }

    /// <summary>The section of the configuration that these options were read from; null if there is none.</summary>
    internal IConfigurationSection? Section { get; set; }

    /// <summary>Sentences about values of the section that could not be read.</summary>
    internal List<string> ReadingFailures { get; } = [];
}

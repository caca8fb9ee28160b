using Microsoft.Extensions.Logging;
using MuseAtelier.Packages;

namespace MuseAtelier;

/// <summary>
/// How an atelier is set up; fixed while it lives. Opening refuses options out of range with an <see cref="ArgumentException"/>.
/// </summary>
public sealed record AtelierOptions
{
    /// <summary>Where it runs: <c>CpuBackend.Create()</c> of MuseAtelier.Cpu, or <c>CudaBackend.Create()</c> of MuseAtelier.Cuda.</summary>
    public required Backend Backend { get; init; }

    /// <summary>Where checkpoints are exported to; null means <c>MuseAtelier</c> in the user's local application data.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>In which arithmetic the model's parts compute; null means what the backend chooses by itself. A package that was exported otherwise is refused.</summary>
    public Precisions? Precisions { get; init; }

    /// <summary>Whether every file's digest is checked at opening (reads the whole package); sizes always are.</summary>
    public bool VerifyDigests { get; init; }

    /// <summary>
    /// Bytes of video memory that the process may hold, as the driver counts it, from 0; <see cref="ByteSize"/> reads amounts such as
    /// <c>4GiB</c>. Null means <see cref="ResidencyRequest.DefaultBudget"/>, or what the card has free if that is less.
    /// </summary>
    public long? VideoMemoryBudget { get; init; }

    /// <summary>
    /// Bytes of memory, from 0, that the process may hold where it runs on a processor, pages of mapped files not counted. Null means what is
    /// free when the atelier is opened: the least that the machine, the control groups above the process and the process's own limits leave.
    /// </summary>
    public long? MemoryBudget { get; init; }

    /// <summary>Where the denoising network's weights are between the steps.</summary>
    public OffloadMode Offload { get; init; } = OffloadMode.Auto;

    /// <summary>Whether the driver is asked every 5 ms how much memory the process holds; <see cref="Picture.Memory"/> then has the peak.</summary>
    public bool WatchMemory { get; init; }

    /// <summary>How the VAE decodes.</summary>
    public VaeTiling VaeTiling { get; init; } = VaeTiling.Auto;

    /// <summary>The tiles where it always decodes in tiles, 32 to 256 latents a side; null means 64x64 latents.</summary>
    public TileSize? VaeTile { get; init; }

    /// <summary>Whether the VAE decodes in fp32 from the start, where the package holds that decoder for pictures that overflow fp16: for painting one of those again.</summary>
    public bool DecodesInFp32 { get; init; }

    /// <summary>Whether progress reports carry a preview of the latents.</summary>
    public bool Previews { get; init; }

    /// <summary>Where the engine's and ONNX Runtime's log goes; null means nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}

/// <summary>How the VAE decodes.</summary>
public enum VaeTiling
{
    /// <summary>Whole where the memory allows, else in tiles.</summary>
    Auto,

    /// <summary>Always in one piece.</summary>
    Whole,

    /// <summary>Always in tiles, of 64x64 latents (512x512 px) unless <see cref="AtelierOptions.VaeTile"/> says otherwise, that overlap and blend linearly.</summary>
    Tiled,
}

namespace MuseAtelier;

/// <summary>What a plan is asked for: the pictures, and the memory that they may take.</summary>
public sealed record ResidencyRequest
{
    /// <summary>The budget where none is given: what SDXL is known to need elsewhere, so that a card of 24 GB keeps something for its other work.</summary>
    public const long DefaultBudget = 19L << 30;

    /// <summary>Bytes that the process may hold: of device memory as the driver counts it; on a processor of memory that is not a mapped file's.</summary>
    public long Budget { get; init; } = DefaultBudget;

    /// <summary>Width in px, a multiple of 8 from 256 to 2048.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Height in px, a multiple of 8 from 256 to 2048.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>Steps of the schedule.</summary>
    public int Steps { get; init; } = 30;

    /// <summary>Pictures of one prompt that are wanted.</summary>
    public int Count { get; init; } = 1;

    /// <summary>How many of them are denoised together, 1 to <see cref="BatchSlot.LargestBatch"/> and no more than <see cref="Count"/>; null takes what is fastest.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Whether the guidance scale is above 1, which doubles the batch.</summary>
    public bool Guided { get; init; } = true;

    /// <summary>The frame that is painted with each picture; null means none.</summary>
    public PictureFrame? Frame { get; init; }

    /// <summary>Where weights may be.</summary>
    public OffloadMode Offload { get; init; } = OffloadMode.Auto;

    /// <summary>How the VAE decodes.</summary>
    public VaeTiling VaeTiling { get; init; } = VaeTiling.Auto;

    /// <summary>The tiles where it always decodes in tiles; null means 64x64 latents.</summary>
    public TileSize? VaeTile { get; init; }

    /// <summary>Whether the VAE decodes in fp32 from the start, where the package holds that decoder for pictures that overflow fp16.</summary>
    public bool DecodesInFp32 { get; init; }

    /// <summary>Bytes of host memory that may be pinned; weights beyond it come from the mapped file, slower.</summary>
    public long PinnedBytes { get; init; } = long.MaxValue;
}

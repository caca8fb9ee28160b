using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier;

/// <summary>A painted picture and all that is known of its making.</summary>
public sealed class Picture
{
    /// <summary>Width in px, with the frame where it lies around the picture.</summary>
    public required int Width { get; init; }

    /// <summary>Height in px, with the frame where it lies around the picture.</summary>
    public required int Height { get; init; }

    /// <summary>[Height, Width, 3] interleaved RGB, 8 bits a channel, sRGB; rows from top to bottom. Owned by the picture.</summary>
    public required ReadOnlyMemory<byte> Pixels { get; init; }

    /// <summary>What was asked for.</summary>
    public required PictureRequest Request { get; init; }

    /// <summary>The model that painted it.</summary>
    public required ModelInfo Model { get; init; }

    /// <summary>What the text encoders did not see, and whatever else the user should know; empty when all is well.</summary>
    public required IReadOnlyList<string> Notices { get; init; }

    /// <summary>How long each part took.</summary>
    public required PictureTimings Timings { get; init; }

    /// <summary>What the picture was to take of the device's memory, and what it took; null for a picture that was not painted here.</summary>
    public PictureMemory? Memory { get; init; }

    /// <summary>The final latents, [1, 4, Height/8, Width/8] (of the request) NCHW fp32, scaled as the UNet sees them.</summary>
    public required ReadOnlyMemory<float> Latents { get; init; }

    /// <summary>What it came from, and digests of its steps.</summary>
    public required PictureProvenance Provenance { get; init; }

    /// <summary>Whether the decoder that the package holds for that decoded the picture in fp32: the device's own precision overflowed, or <see cref="AtelierOptions.DecodesInFp32"/> asked for it.</summary>
    public bool DecodedInFp32 { get; init; }
}

/// <summary>How long each part of a picture took: its own share of what pictures of a pass go through together.</summary>
/// <param name="Text">Tokens, text encoders, cross-attention and time embeddings; its share.</param>
/// <param name="Denoising">All steps together; its share.</param>
/// <param name="Decoding">VAE and conversion to bytes.</param>
public sealed record PictureTimings(TimeSpan Text, TimeSpan Denoising, TimeSpan Decoding)
{
    /// <summary>Each step by itself, of the whole pass.</summary>
    public required IReadOnlyList<TimeSpan> Steps { get; init; }

    /// <summary>Of the decoding: from decoded numbers to bytes on the host, with the frame.</summary>
    public required TimeSpan Finishing { get; init; }

    /// <summary>Managed bytes that the denoising loop of its pass allocated on its thread.</summary>
    public required long DenoisingManagedBytes { get; init; }

    /// <summary>All parts together.</summary>
    public TimeSpan Total => Text + Denoising + Decoding;
}

/// <summary>What a picture takes of the device's memory.</summary>
/// <param name="Plan">Where everything was, and the peak that this was to amount to.</param>
/// <param name="Phases">What each phase took, in order.</param>
/// <param name="ArenaUsedBytes">The most that runs had in use at once of the arena that all sessions share but those that decode, by the arena's own count since it was made; null as for the peak, or where sessions have arenas of their own.</param>
public sealed record PictureMemory(ResidencyPlan Plan, IReadOnlyList<PhaseMemory> Phases, long? ArenaUsedBytes)
{
    /// <summary>The most that the process held while the picture was painted, as the driver counts it; null where <see cref="AtelierOptions.WatchMemory"/> was off or the device does not tell.</summary>
    public long? PeakBytes => Phases.Max(phase => phase.PeakBytes);

    /// <summary>The most that the sessions' arena held while the picture was painted, in use or not; null as for <see cref="ArenaUsedBytes"/>.</summary>
    public long? ArenaHeldBytes => Phases.Max(phase => phase.ArenaHeldBytes);
}

/// <summary>What a phase of a picture took.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="PlannedBytes">What it was to take.</param>
/// <param name="PeakBytes">The most that the process held during it, as the driver counts it, or of anonymous memory where a processor paints; null where it was not watched or the device does not tell.</param>
/// <param name="ArenaHeldBytes">The most that the arena held during it which all sessions share; null where it was not watched or sessions have arenas of their own.</param>
public sealed record PhaseMemory(PlanPhase Phase, long PlannedBytes, long? PeakBytes, long? ArenaHeldBytes);

/// <summary>What is known of a loaded model.</summary>
/// <param name="Name">The checkpoint's file name without extension.</param>
/// <param name="Sha256">SHA-256 of the checkpoint, lower-case hex.</param>
/// <param name="Package">Path of the package's folder.</param>
public sealed record ModelInfo(string Name, string Sha256, string Package)
{
    /// <summary>The title that the checkpoint gives itself, if any.</summary>
    public string? Title { get; init; }

    /// <summary>The licence that the checkpoint states, if any.</summary>
    public string? License { get; init; }

    /// <summary>Parameters of all parts.</summary>
    public required long Parameters { get; init; }
}

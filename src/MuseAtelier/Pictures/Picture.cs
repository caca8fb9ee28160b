using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier;

/// <summary>A painted picture, with its request, its timings, its memory and its provenance.</summary>
public sealed class Picture
{
    /// <summary>Width in px, including a frame that lies around the picture.</summary>
    public required int Width { get; init; }

    /// <summary>Height in px, including a frame that lies around the picture.</summary>
    public required int Height { get; init; }

    /// <summary>[Height, Width, 3] interleaved RGB, 8 bits a channel, sRGB; rows from top to bottom. Owned by the picture.</summary>
    public required ReadOnlyMemory<byte> Pixels { get; init; }

    /// <summary>The request.</summary>
    public required PictureRequest Request { get; init; }

    /// <summary>The model that painted it.</summary>
    public required ModelInfo Model { get; init; }

    /// <summary>Sentences for the user, such as the part of a prompt that was cut off; empty if there are none.</summary>
    public required IReadOnlyList<string> Notices { get; init; }

    /// <summary>The time that each part took.</summary>
    public required PictureTimings Timings { get; init; }

    /// <summary>
    /// The planned and the measured memory of the device; null for a picture that this engine did not paint.
    /// </summary>
    public PictureMemory? Memory { get; init; }

    /// <summary>The final latents, [1, 4, Height/8, Width/8] of the request, NCHW fp32, in the scale of the UNet.</summary>
    public required ReadOnlyMemory<float> Latents { get; init; }

    /// <summary>The versions, the device and the plan that painted the picture, and digests of its steps.</summary>
    public required PictureProvenance Provenance { get; init; }

    /// <summary>
    /// Whether the package's fp32 decoder decoded the picture, because the device's own precision overflowed or because
    /// <see cref="AtelierOptions.DecodesInFp32"/> is set.
    /// </summary>
    public bool DecodedInFp32 { get; init; }
}

/// <summary>The time that each part of a picture took. Parts that a batch runs once are divided equally among its pictures.</summary>
/// <param name="Text">The picture's share of tokenizing, text encoders, cross-attention and time embeddings.</param>
/// <param name="Denoising">The picture's share of all steps.</param>
/// <param name="Decoding">The VAE and the conversion to bytes.</param>
public sealed record PictureTimings(TimeSpan Text, TimeSpan Denoising, TimeSpan Decoding)
{
    /// <summary>The time of each step, for the whole batch.</summary>
    public required IReadOnlyList<TimeSpan> Steps { get; init; }

    /// <summary>The part of the decoding from decoded numbers to bytes on the host, with the frame.</summary>
    public required TimeSpan PostProcessing { get; init; }

    /// <summary>Managed bytes that the denoising loop of the batch allocated on its thread.</summary>
    public required long DenoisingManagedBytes { get; init; }

    /// <summary>All parts together.</summary>
    public TimeSpan Total => Text + Denoising + Decoding;
}

/// <summary>The memory that a picture took on the device.</summary>
/// <param name="Plan">The plan in force, with its estimated peak.</param>
/// <param name="Phases">The memory of each phase, in order.</param>
/// <param name="ArenaUsedBytes">
/// Peak bytes in use in the shared arena since it was created, as reported by ONNX Runtime. VAE sessions use their own arenas and are not
/// included. Null if <see cref="AtelierOptions.WatchMemory"/> is off, or if sessions have arenas of their own.
/// </param>
public sealed record PictureMemory(ResidencyPlan Plan, IReadOnlyList<PhaseMemory> Phases, long? ArenaUsedBytes)
{
    /// <summary>
    /// Peak bytes that the process held while the picture was painted, as the driver counts it. Null if
    /// <see cref="AtelierOptions.WatchMemory"/> is off, or if the device does not report it.
    /// </summary>
    public long? PeakBytes => Phases.Max(phase => phase.PeakBytes);

    /// <summary>
    /// Peak bytes that the shared arena held while the picture was painted, in use or not; null as for <see cref="ArenaUsedBytes"/>.
    /// </summary>
    public long? ArenaHeldBytes => Phases.Max(phase => phase.ArenaHeldBytes);
}

/// <summary>The memory that a phase of a picture took.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="PlannedBytes">The bytes of the plan.</param>
/// <param name="PeakBytes">
/// Peak bytes that the process held during the phase, as the driver counts it; on a processor, of anonymous memory. Null if memory was not
/// watched, or if the device does not report it.
/// </param>
/// <param name="ArenaHeldBytes">
/// Peak bytes that the shared arena held during the phase. Null if memory was not watched, or if sessions have arenas of their own.
/// </param>
public sealed record PhaseMemory(PlanPhase Phase, long PlannedBytes, long? PeakBytes, long? ArenaHeldBytes);

/// <summary>The identity of a loaded model.</summary>
/// <param name="Name">The checkpoint's file name without extension.</param>
/// <param name="Sha256">SHA-256 of the checkpoint, lower-case hex.</param>
/// <param name="Package">Path of the package's folder.</param>
public sealed record ModelInfo(string Name, string Sha256, string Package)
{
    /// <summary>The title that the checkpoint states, if any.</summary>
    public string? Title { get; init; }

    /// <summary>The licence that the checkpoint states, if any.</summary>
    public string? License { get; init; }

    /// <summary>The number of parameters of all parts.</summary>
    public required long Parameters { get; init; }
}

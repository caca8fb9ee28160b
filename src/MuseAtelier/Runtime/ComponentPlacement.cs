using MuseAtelier.Streaming;

namespace MuseAtelier.Runtime;

/// <summary>The place of a stage's weights while its component is loaded.</summary>
internal enum WeightPlacement
{
    /// <summary>In device memory until the component is released.</summary>
    Resident,

    /// <summary>
    /// In host memory until the component is released, and in device memory from the component's first run until
    /// <see cref="StageWeights.SwapOut"/>.
    /// </summary>
    SwappedOut,

    /// <summary>In pinned host memory; copied into the streaming buffer each time the stage runs.</summary>
    Streamed,

    /// <summary>
    /// In the package's file; copied into the streaming buffer each time the stage runs. For weights that exceed the host memory that may
    /// be pinned.
    /// </summary>
    Staged,
}

/// <summary>The places of a component's weights.</summary>
/// <param name="Stages">The place of each stage's weights, in the order of the stages. Stages without weights are ignored.</param>
/// <param name="Buffer">
/// The places in the streaming buffer of the streamed and staged stages that have weights, in their order; null if there are none.
/// </param>
internal sealed record ComponentPlacement(IReadOnlyList<WeightPlacement> Stages, StreamingBufferLayout? Buffer = null);

using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;

namespace MuseAtelier.Sampling;

/// <summary>The UNet as the denoising loop sees it: prepared for all evaluations of a batch.</summary>
internal interface IDenoiser
{
    /// <summary>
    /// Rows of the UNet's batch in a guided evaluation, or in every evaluation if none is guided: with guidance first a row of the negative
    /// prompt for each slot, then a row of the prompt's first part for each slot, and so on. An evaluation outside of the guidance interval
    /// has the first rows alone, one for each slot.
    /// </summary>
    int Rows { get; }

    /// <summary>The arithmetic of the UNet.</summary>
    Precision Precision { get; }

    /// <summary>
    /// [Rows, input channels, h, w] fp32, scaled by 1 / sqrt(sigma^2 + 1). Host memory of the denoiser, which reads the evaluation's rows
    /// from <see cref="Start"/> until <see cref="Wait"/> has returned.
    /// </summary>
    Span<float> Input { get; }

    /// <summary>
    /// [Rows, 4, h, w] fp32, the prediction. Host memory of the denoiser, which writes the evaluation's rows from <see cref="Start"/>
    /// until <see cref="Wait"/> has returned.
    /// </summary>
    Span<float> Output { get; }

    /// <summary>
    /// Starts an evaluation; allocates nothing managed. A device that works by itself has not finished when the method returns.
    /// </summary>
    /// <param name="evaluation">Index of the evaluation among those that were prepared.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between stages.</param>
    void Start(int evaluation, RunOptions options, CancellationToken cancellationToken);

    /// <summary>Waits until <see cref="Output"/> is complete.</summary>
    void Wait();
}

using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>A sampler that requests can name, once <see cref="AtelierOptions.Samplers"/> registers it.</summary>
/// <param name="Name">The name that requests give.</param>
/// <param name="DisplayName">
/// The name in texts of AUTOMATIC1111's form, such as <c>DPM++ 2M</c>: 1 to 64 characters on one line.
/// </param>
/// <param name="Create">
/// Makes the sampler for its settings. Called once for each batch and once for each plan, from any thread; must give the same evaluations
/// for the same settings. A request for which it throws, as for more than <see cref="Sampler.MostEvaluations"/> evaluations, fails with
/// that exception.
/// </param>
[Experimental(Experiments.Sampling)]
public sealed record SamplerRegistration(SamplerName Name, string DisplayName, Func<SamplerSettings, Sampler> Create)
{
    /// <summary>
    /// Its names in other programs, which <see cref="SamplerCatalog.Find(string)"/> knows too, in any case and punctuation.
    /// </summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>
    /// Whether the schedule is computed for one step more and its last noise level above 0 is left out, as ComfyUI and AUTOMATIC1111 do
    /// for some samplers that jump over much of the noise in the last step. A schedule of 1000 steps is left as it is.
    /// </summary>
    public bool DiscardsPenultimateSigma { get; init; }
}

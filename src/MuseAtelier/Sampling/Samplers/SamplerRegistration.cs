using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>A sampler that requests can name, once <see cref="AtelierOptions.Samplers"/> registers it.</summary>
[Experimental(Experiments.Sampling)]
public sealed record SamplerRegistration
{
    /// <summary>Describes a sampler.</summary>
    /// <param name="name">The name that requests give.</param>
    /// <param name="displayName">
    /// The name in texts of AUTOMATIC1111's form, such as <c>DPM++ 2M</c>: 1 to 64 characters on one line.
    /// </param>
    /// <param name="create">
    /// Makes the sampler for its settings. Called once for each batch and once for each plan, from any thread; must give the same
    /// evaluations for the same settings. A request for which it throws, as for more than <see cref="Sampler.MostEvaluations"/>
    /// evaluations, fails with that exception.
    /// </param>
    public SamplerRegistration(SamplerName name, string displayName, Func<SamplerSettings, Sampler> create)
    {
        Name = name;
        DisplayName = displayName;
        Create = create;
    }

    /// <summary>The name that requests give.</summary>
    public SamplerName Name { get; init; }

    /// <summary>The name in texts of AUTOMATIC1111's form, such as <c>DPM++ 2M</c>: 1 to 64 characters on one line.</summary>
    public string DisplayName { get; init; }

    /// <summary>
    /// Makes the sampler for its settings. Called once for each batch and once for each plan, from any thread; must give the same
    /// evaluations for the same settings. A request for which it throws, as for more than <see cref="Sampler.MostEvaluations"/>
    /// evaluations, fails with that exception.
    /// </summary>
    public Func<SamplerSettings, Sampler> Create { get; init; }

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

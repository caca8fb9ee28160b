using MuseAtelier.Checking;

namespace MuseAtelier;

/// <summary>
/// Compares the samplers and schedules with runs of k-diffusion and diffusers for made-up models. It needs no model and no device.
/// </summary>
internal static class SamplerCheck
{
    /// <summary>Runs every case of a file.</summary>
    /// <param name="path">
    /// Path of a safetensors file with a JSON file of the same name beside it. Its tensors are named <c>schedule.NAME.STEPS</c>,
    /// <c>SAMPLER.SCHEDULE.STEPS.</c> with sigmas, x0, before_step, drawn and final (k-diffusion), <c>CASE.STEPS.</c> with timesteps,
    /// sigmas, x0, drawn and latents (diffusers; the JSON file has the class and its configuration), <c>brownian.SEED</c> and
    /// <c>brownian_large.SEED</c>.
    /// </param>
    /// <param name="progress">Receives, on another thread, the name of the case that is being run.</param>
    /// <param name="cancellationToken">Stops between two cases.</param>
    /// <exception cref="SamplerValuesException">The file is not of this form.</exception>
    /// <exception cref="MuseAtelierException">The file cannot be read; the exception's type and message give the reason.</exception>
    public static Task<SamplerReport> RunAsync(
        string path, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return Task.Run(
            () =>
            {
                using SamplerValues values = SamplerValues.Open(path);
                List<SamplerCase> cases = [];
                foreach (RecordedCase recorded in RecordedCases.Of(values))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    progress?.Report(recorded.Name);
                    cases.Add(recorded.Run(values));
                }

                return new SamplerReport(cases);
            },
            cancellationToken);
    }
}

/// <summary>The result of a comparison of samplers and schedules with reference values.</summary>
/// <param name="Cases">The cases of the file, in the order of their names.</param>
internal sealed record SamplerReport(IReadOnlyList<SamplerCase> Cases)
{
    /// <summary>Whether there is at least one case, and every case passes.</summary>
    public bool Passed => Cases.Count > 0 && Cases.All(one => one.Passed);
}

/// <summary>One case of a file of reference values.</summary>
/// <param name="Name">Its name in the file, such as <c>dpmpp_2m.karras.12</c>.</param>
/// <param name="RelativeError">
/// For a schedule, the largest error of a noise level, relative to it. For a run, the largest error of the latents of any step: the larger
/// one of ||ours - reference|| / ||reference|| and of the same ratio of largest magnitudes. NaN if there is nothing to compare.
/// </param>
/// <param name="AllowedError">The largest relative error that passes.</param>
internal sealed record SamplerCase(string Name, double RelativeError, double AllowedError)
{
    /// <summary>What the error belongs to if it is not the result, or why the case cannot be run; null otherwise.</summary>
    public string? Remark { get; init; }

    /// <summary>Whether the case passes.</summary>
    public bool Passed => RelativeError <= AllowedError;
}

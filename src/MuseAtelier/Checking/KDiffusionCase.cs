using MuseAtelier.Sampling;

namespace MuseAtelier.Checking;

/// <summary>
/// A run of k-diffusion with the made-up model D(x, s) = x / (1 + s^2) + 0.2 s / (1 + s) sin(0.7 x + s / 20):
/// <c>SAMPLER.SCHEDULE.STEPS.PART</c>.
/// </summary>
/// <param name="Name">The name without the part.</param>
/// <param name="Sampler">The sampler's name: that of k-diffusion's function without <c>sample_</c>.</param>
/// <param name="Schedule">The schedule's name.</param>
/// <param name="Steps">The number of steps.</param>
internal sealed record KDiffusionCase(string Name, string Sampler, string Schedule, int Steps) : RecordedCase(Name)
{
    /// <inheritdoc/>
    public override SamplerCase Run(SamplerValues values)
    {
        float[] start = values.Latents($"{Name}.x0");
        float[] sigmas = values.List($"{Name}.sigmas");
        float[] before = values.Series($"{Name}.before_step", start.Length);
        float[] final = values.Latents($"{Name}.final");
        float[] drawn = values.Has($"{Name}.drawn") ? values.Series($"{Name}.drawn", start.Length) : [];
        if (final.Length != start.Length) throw values.Refusal($"x0 and final of {Name} have different lengths");
        if (CheckedSamplers.Find(Sampler) is not { } sampler) return Refuse($"no such sampler: {Sampler}");
        try
        {
            if (ScheduleCase.ScheduleOf(Schedule, Steps) is not { } schedule) return Refuse($"no such schedule: {Schedule}");
            if (CompareLevels("noise levels", schedule.Sigmas, sigmas) is { } failed) return failed;
            var request = new PictureRequest { Prompt = "", Sampler = sampler, Steps = Steps, Dialect = SamplingDialect.Comfy };
            return Compare(SamplerCatalog.BuiltIn.Create(request, schedule), start, drawn, before, final);
        }
        catch (StepCountException exception)
        {
            return Refuse(exception.Message);
        }
    }

    private SamplerCase Compare(Sampler sampler, float[] start, float[] drawn, ReadOnlySpan<float> before, ReadOnlySpan<float> final)
    {
        int steps = sampler.Evaluations[^1].Step + 1;
        if (before.Length != steps * start.Length) return Refuse($"{steps} steps instead of {before.Length / start.Length}");
        var run = new RecordedRun(sampler, start, drawn);
        List<double> errors = [];
        bool isComplete = true;
        foreach (Evaluation evaluation in sampler.Evaluations)
        {
            if (evaluation.Step == errors.Count)
                errors.Add(ErrorOf(run.Latents, before.Slice(errors.Count * start.Length, start.Length)));
            isComplete = isComplete && run.Advance(evaluation, Denoise);
        }

        errors.Add(ErrorOf(run.Latents, final));
        return LatentCase(errors, isComplete);
    }

    private static void Denoise(Evaluation evaluation, ReadOnlySpan<float> latents, Span<float> denoised, Span<float> epsilon)
    {
        double s = evaluation.Sigma;
        for (int i = 0; i < latents.Length; i++)
        {
            double x = latents[i];
            double clean = x / (1 + s * s) + 0.2 * s / (1 + s) * Math.Sin(0.7 * x + s / 20);
            denoised[i] = (float)clean;
            epsilon[i] = (float)((x - clean) / s);
        }
    }
}

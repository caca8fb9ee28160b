using System.Text.Json;
using MuseAtelier.Sampling;

namespace MuseAtelier.Checking;

/// <summary>
/// A run of a diffusers scheduler with the made-up model output(x, t) = 0.8 sin(0.7 x + t / 1000), where x is the model's scaled input:
/// <c>CASE.STEPS.PART</c>. The JSON file has the class and its configuration.
/// </summary>
/// <param name="Name">The name without the part.</param>
/// <param name="Entry">The entry of the JSON file.</param>
/// <param name="Steps">The number of steps.</param>
internal sealed record SchedulerCase(string Name, JsonElement Entry, int Steps) : RecordedCase(Name)
{
    /// <inheritdoc/>
    public override SamplerCase Run(SamplerValues values)
    {
        float[] start = values.Latents($"{Name}.x0");
        float[] timesteps = values.List($"{Name}.timesteps");
        float[] after = values.Series($"{Name}.latents", start.Length);
        float[] sigmas = values.Has($"{Name}.sigmas") ? values.List($"{Name}.sigmas") : [];
        float[] drawn = values.Has($"{Name}.drawn") ? values.Series($"{Name}.drawn", start.Length) : [];
        var configuration = SchedulerConfiguration.Read(Entry);
        if (configuration.Unsupported is { } reason) return Refuse(reason);
        if (CheckedSamplers.Find(configuration.Sampler) is not { } name) return Refuse($"no such sampler: {configuration.Sampler}");
        try
        {
            var trained = new TrainedSchedule(configuration.Prediction, zeroTerminalSnr: false);
            var schedule = new SigmaSchedule(trained, configuration.Choice, Steps);
            var request = new PictureRequest { Prompt = "", Sampler = name, Steps = Steps };
            Sampler sampler = SamplerCatalog.BuiltIn.Create(request, schedule);
            return CompareSchedule(configuration, schedule, sampler, timesteps, sigmas)
                ?? Compare(configuration, sampler, start, drawn, after);
        }
        catch (StepCountException exception)
        {
            return Refuse(exception.Message);
        }
    }

    private SamplerCase? CompareSchedule(
        SchedulerConfiguration configuration, SigmaSchedule schedule, Sampler sampler, float[] timesteps, float[] sigmas)
    {
        float[] levels = [.. sampler.Evaluations.ToArray().Select(evaluation => evaluation.Sigma), schedule.Sigmas[^1]];
        float[] times = [.. sampler.Evaluations.ToArray().Select(evaluation => evaluation.Timestep)];
        SamplerCase? failed = CompareLevels("timesteps", times, timesteps);
        if (sigmas.Length > 0) failed ??= CompareLevels("noise levels", levels, sigmas);
        if (configuration.InitialNoiseScale is not { } scale) return failed;
        float ours = schedule.InitialNoiseScale / (configuration.IsScaled ? Scale(schedule.Sigmas[0]) : 1);
        return failed ?? CompareLevels("initial scales", [ours], [scale]);
    }

    // Schedulers that hold x / sqrt(sigma^2 + 1) end with a picture, which is not scaled.
    private SamplerCase Compare(
        SchedulerConfiguration configuration, Sampler sampler, float[] start, float[] drawn, ReadOnlySpan<float> after)
    {
        int length = start.Length;
        ReadOnlySpan<Evaluation> evaluations = sampler.Evaluations;
        if (after.Length != evaluations.Length * length)
            return Refuse($"{evaluations.Length} evaluations instead of {after.Length / length}");
        var prediction = Prediction.Of(configuration.Prediction);
        if (configuration.IsScaled) Multiply(start, Scale(evaluations[0].Sigma));
        var run = new RecordedRun(sampler, start, drawn);
        List<double> errors = [];
        bool isComplete = true;
        for (int i = 0; i < evaluations.Length && isComplete; i++)
        {
            isComplete = run.Advance(evaluations[i], Predict);
            float[] expected = after.Slice(i * length, length).ToArray();
            if (configuration.IsScaled && i < evaluations.Length - 1) Multiply(expected, Scale(evaluations[i + 1].Sigma));
            errors.Add(ErrorOf(run.Latents, expected));
        }

        return LatentCase(errors, isComplete);

        void Predict(Evaluation evaluation, ReadOnlySpan<float> latents, Span<float> denoised, Span<float> output)
        {
            Prediction.ScaleInput(latents, evaluation.Sigma, output);
            foreach (ref float value in output) value = (float)(0.8 * Math.Sin(0.7 * value + evaluation.Timestep / 1000.0));
            prediction.ToDenoised(latents, output, evaluation.Sigma, denoised);
            prediction.ToEpsilon(latents, output, evaluation.Sigma);
        }
    }

    private static float Scale(float sigma) => (float)Math.Sqrt((double)sigma * sigma + 1);

    private static void Multiply(Span<float> latents, float factor)
    {
        foreach (ref float latent in latents) latent *= factor;
    }
}

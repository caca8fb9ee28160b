namespace MuseAtelier.Sampling;

/// <summary>
/// The schedules that programs define by noise levels. Each gives the noise levels above 0, falling. Files and functions are those of
/// ComfyUI (comfy/samplers.py), of AUTOMATIC1111 as Forge has it (modules/sd_schedulers.py) and of diffusers
/// (schedulers/scheduling_euler_discrete.py). The functions here compute in double precision as numpy does; those that the programs compute
/// with PyTorch are <see cref="TorchSigmas"/>.
/// </summary>
internal static class SigmaFunctions
{
    /// <summary>The exponent of Karras's levels.</summary>
    public const double Rho = 7;

    /// <summary>The noise levels of a schedule that is defined by them.</summary>
    /// <param name="spacing">The schedule.</param>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="steps">1 to 1000. The schedules of single trained levels may have fewer or more.</param>
    /// <param name="dialect">The program whose function it is.</param>
    public static double[] Of(TimestepSpacing spacing, TrainedSchedule trained, int steps, SamplingDialect dialect)
    {
        LevelRange range = trained.ExactRange;
        bool isTorchs = dialect != SamplingDialect.Diffusers;
        int parts = dialect == SamplingDialect.A1111 ? steps : steps - 1;
        return spacing switch
        {
            TimestepSpacing.Normal or TimestepSpacing.SgmUniform => isTorchs
                ? TorchSigmas.Normal(trained, steps, spacing == TimestepSpacing.SgmUniform)
                : Normal(trained, steps, spacing == TimestepSpacing.SgmUniform),
            TimestepSpacing.Exponential => isTorchs ? TorchSigmas.Exponential(range, steps) : Exponential(trained.Range, steps),
            TimestepSpacing.Polyexponential => isTorchs ? TorchSigmas.Polyexponential(range, steps) : Exponential(trained.Range, steps),
            TimestepSpacing.Simple => Simple(trained, steps),
            TimestepSpacing.DdimUniform => DdimUniform(trained, steps),
            TimestepSpacing.Beta when dialect == SamplingDialect.Comfy => Beta(trained, steps),
            TimestepSpacing.Beta => BetaOfSigmas(isTorchs ? range : trained.Range, steps),
            TimestepSpacing.KlOptimal => KlOptimal(range, steps, parts),
            TimestepSpacing.AlignYourSteps => AlignedSteps.Of(steps, dialect),
            TimestepSpacing.Lcm => LcmLevels.Sigmas(trained, steps),
            _ => throw new ArgumentOutOfRangeException(nameof(spacing), spacing, null),
        };
    }

    /// <summary>
    /// The noise level at which a schedule ends: 0, except AUTOMATIC1111's kl_optimal, whose list ends with the least trained level.
    /// </summary>
    /// <param name="spacing">The schedule.</param>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="dialect">The program whose function it is.</param>
    public static double LastOf(TimestepSpacing spacing, TrainedSchedule trained, SamplingDialect dialect) =>
        spacing == TimestepSpacing.KlOptimal && dialect == SamplingDialect.A1111 ? trained.ExactRange.Least : 0;

    /// <summary>Levels by Karras et al. (2022), equation 5, with rho 7.</summary>
    /// <param name="range">The levels between which they lie.</param>
    /// <param name="count">How many, at least 1.</param>
    public static double[] Karras(LevelRange range, int count)
    {
        double first = Math.Pow(range.Greatest, 1 / Rho);
        double last = Math.Pow(range.Least, 1 / Rho);
        return Make(count, i => Math.Pow(first + Ramp(i, count) * (last - first), Rho));
    }

    /// <summary>A value between two others, or beyond them.</summary>
    public static double Lerp(double from, double to, double part) => from + (to - from) * part;

    /// <summary>Computes numbers one by one.</summary>
    public static double[] Make(int count, Func<int, double> value)
    {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = value(i);
        return values;
    }

    // normal_scheduler, with sgm: timesteps evenly from the last one to the first one, or to before it; sigma by its logarithm.
    private static double[] Normal(TrainedSchedule trained, int steps, bool isOpen)
    {
        int parts = Math.Max(isOpen ? steps : steps - 1, 1);
        return Make(steps, i => trained.ExactSigmaAt((TrainedSchedule.Steps - 1) * (1 - (double)i / parts)));
    }

    // _convert_to_exponential.
    private static double[] Exponential(LevelRange range, int steps)
    {
        double first = Math.Log(range.Greatest);
        double last = Math.Log(range.Least);
        return Make(steps, i => Math.Exp(first + Ramp(i, steps) * (last - first)));
    }

    // simple_scheduler: every n-th trained level from the last one on.
    private static double[] Simple(TrainedSchedule trained, int steps) =>
        Make(steps, i => trained.ExactSigmas[TrainedSchedule.Steps - 1 - (int)(i * ((double)TrainedSchedule.Steps / steps))]);

    // ddim_scheduler: every n-th trained level from the second one on.
    private static double[] DdimUniform(TrainedSchedule trained, int steps)
    {
        int stride = Math.Max(TrainedSchedule.Steps / steps, 1);
        int count = (TrainedSchedule.Steps - 2) / stride + 1;
        return Make(count, i => trained.ExactSigmas[1 + (count - 1 - i) * stride]);
    }

    // ComfyUI's beta_scheduler with alpha and beta 0.6 (Lee et al., 2024, "Beta Sampling is All You Need"): quantiles of timesteps. Equal
    // timesteps are left out.
    private static double[] Beta(TrainedSchedule trained, int steps)
    {
        List<double> sigmas = [];
        int before = -1;
        for (int i = 0; i < steps; i++)
        {
            int timestep = (int)Math.Round(BetaDistribution.Quantile(1 - (double)i / steps) * (TrainedSchedule.Steps - 1));
            if (timestep != before) sigmas.Add(trained.ExactSigmas[timestep]);
            before = timestep;
        }

        return [.. sigmas];
    }

    // Forge's beta_scheduler and diffusers' _convert_to_beta with the same 0.6: quantiles of sigmas, the least one included.
    private static double[] BetaOfSigmas(LevelRange range, int steps) =>
        Make(steps, i => Lerp(range.Least, range.Greatest, BetaDistribution.Quantile(1 - Ramp(i, steps))));

    // kl_optimal_scheduler (Sabour et al., 2024, equation 16): even parts of the arc tangent, from the greatest level to the least one.
    // With one part more than there are steps less one, the least one is the end of the last step.
    private static double[] KlOptimal(LevelRange range, int steps, int parts)
    {
        double first = Math.Atan(range.Greatest);
        double last = Math.Atan(range.Least);
        return Make(steps, i =>
        {
            double part = (double)i / Math.Max(parts, 1);
            return Math.Tan(part * last + (1 - part) * first);
        });
    }

    private static double Ramp(int index, int steps) => steps == 1 ? 0 : (double)index / (steps - 1);
}

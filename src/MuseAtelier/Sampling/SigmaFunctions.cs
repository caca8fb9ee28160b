namespace MuseAtelier.Sampling;

/// <summary>
/// The schedules that k-diffusion and ComfyUI define by noise levels. Each gives the noise levels above 0, falling, in double precision.
/// Where AUTOMATIC1111 has another function under the same name (beta, kl_optimal, align your steps), it is ComfyUI's (comfy/samplers.py;
/// comfy_extras/nodes_align_your_steps.py).
/// </summary>
internal static class SigmaFunctions
{
    // Sabour et al. (2024), "Align Your Steps", for SDXL: the table of ComfyUI without the level that it replaces by 0.
    private static readonly double[] AlignedSteps =
    [
        14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141, 0.5550693289, 0.3798540708, 0.2332364134,
        0.1114188177, 0.0291671582,
    ];

    /// <summary>The noise levels of a schedule that is defined by them.</summary>
    /// <param name="spacing">The schedule.</param>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="steps">1 to 1000. The schedules of single trained levels may have fewer or more.</param>
    public static double[] Of(TimestepSpacing spacing, TrainedSchedule trained, int steps) => spacing switch
    {
        TimestepSpacing.Normal => Normal(trained, steps, isOpen: false),
        TimestepSpacing.SgmUniform => Normal(trained, steps, isOpen: true),
        TimestepSpacing.Exponential or TimestepSpacing.Polyexponential => Exponential(trained, steps),
        TimestepSpacing.Simple => Simple(trained, steps),
        TimestepSpacing.DdimUniform => DdimUniform(trained, steps),
        TimestepSpacing.Beta => Beta(trained, steps),
        TimestepSpacing.KlOptimal => KlOptimal(trained, steps),
        TimestepSpacing.AlignYourSteps => AlignYourSteps(steps),
        _ => throw new ArgumentOutOfRangeException(nameof(spacing), spacing, null),
    };

    // normal_scheduler, with sgm: timesteps evenly from the last one to the first one, or to before it; sigma by its logarithm.
    private static double[] Normal(TrainedSchedule trained, int steps, bool isOpen)
    {
        int parts = Math.Max(isOpen ? steps : steps - 1, 1);
        return Make(steps, i => LogSigmaAt(trained, (TrainedSchedule.Steps - 1) * (1 - (double)i / parts)));
    }

    // get_sigmas_exponential; get_sigmas_polyexponential with its default rho 1 is the same.
    private static double[] Exponential(TrainedSchedule trained, int steps)
    {
        double first = Math.Log(trained.ExactSigmas[^1]);
        double last = Math.Log(trained.ExactSigmas[0]);
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

    // beta_scheduler with alpha and beta 0.6 (Lee et al., 2024, "Beta Sampling is All You Need"); equal timesteps are left out.
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

    // kl_optimal_scheduler (Sabour et al., 2024, equation 16): even steps of the arc tangent.
    private static double[] KlOptimal(TrainedSchedule trained, int steps)
    {
        double first = Math.Atan(trained.ExactSigmas[^1]);
        double last = Math.Atan(trained.ExactSigmas[0]);
        return Make(steps, i => Math.Tan(Ramp(i, steps) * last + (1 - Ramp(i, steps)) * first));
    }

    // AlignYourStepsScheduler: the table, or its logarithms interpolated to another number of steps.
    private static double[] AlignYourSteps(int steps) => Make(steps, i =>
    {
        double place = (double)i * (AlignedSteps.Length - 1) / steps;
        int below = (int)place;
        return Math.Exp(Lerp(Math.Log(AlignedSteps[below]), Math.Log(AlignedSteps[below + 1]), place - below));
    });

    // k-diffusion external.py, DiscreteSchedule.t_to_sigma.
    private static double LogSigmaAt(TrainedSchedule trained, double timestep)
    {
        int below = Math.Min((int)timestep, TrainedSchedule.Steps - 2);
        return Math.Exp(Lerp(Math.Log(trained.ExactSigmas[below]), Math.Log(trained.ExactSigmas[below + 1]), timestep - below));
    }

    private static double Ramp(int index, int steps) => steps == 1 ? 0 : (double)index / (steps - 1);

    private static double Lerp(double from, double to, double part) => from + (to - from) * part;

    private static double[] Make(int count, Func<int, double> value)
    {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = value(i);
        return values;
    }
}

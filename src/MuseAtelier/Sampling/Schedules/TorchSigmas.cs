namespace MuseAtelier.Sampling;

/// <summary>
/// Schedules in single precision with PyTorch's order of operations, as k-diffusion, AUTOMATIC1111 and ComfyUI compute them. They differ
/// from the formulas in double precision by up to 1e-6, which moves the ends of the intervals of Brownian noise.
/// </summary>
/// <remarks>
/// torch.linspace counts from the nearer end with fused multiplications (aten/src/ATen/native/cpu/RangeFactoriesKernel.cpp, for fewer
/// numbers than two vectors); other products and sums are rounded one by one.
/// </remarks>
internal static class TorchSigmas
{
    /// <summary>k-diffusion sampling.py, get_sigmas_karras: Karras et al. (2022), equation 5.</summary>
    /// <param name="range">The levels between which they lie.</param>
    /// <param name="count">How many, at least 1.</param>
    public static double[] Karras(LevelRange range, int count)
    {
        double first = Math.Pow(range.Greatest, 1 / SigmaFunctions.Rho);
        float distance = (float)(Math.Pow(range.Least, 1 / SigmaFunctions.Rho) - first);
        return SigmaFunctions.Make(count, i =>
        {
            float way = Linspace(0, 1, count, i) * distance;
            float root = (float)first + way;
            return (float)Math.Pow(root, SigmaFunctions.Rho);
        });
    }

    /// <summary>k-diffusion sampling.py, get_sigmas_exponential.</summary>
    /// <param name="range">The levels between which they lie.</param>
    /// <param name="count">How many, at least 1.</param>
    public static double[] Exponential(LevelRange range, int count)
    {
        float first = (float)Math.Log(range.Greatest);
        float last = (float)Math.Log(range.Least);
        return SigmaFunctions.Make(count, i => (float)Math.Exp(Linspace(first, last, count, i)));
    }

    /// <summary>k-diffusion sampling.py, get_sigmas_polyexponential with its default rho 1.</summary>
    /// <param name="range">The levels between which they lie.</param>
    /// <param name="count">How many, at least 1.</param>
    public static double[] Polyexponential(LevelRange range, int count)
    {
        double last = Math.Log(range.Least);
        float distance = (float)(Math.Log(range.Greatest) - last);
        return SigmaFunctions.Make(count, i =>
        {
            float way = Linspace(1, 0, count, i) * distance;
            float sum = way + (float)last;
            return (float)Math.Exp(sum);
        });
    }

    /// <summary>ComfyUI comfy/samplers.py, normal_scheduler; k-diffusion external.py, get_sigmas and t_to_sigma.</summary>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="count">How many, at least 1.</param>
    /// <param name="isOpen">Whether the last of one timestep more is left out.</param>
    public static double[] Normal(TrainedSchedule trained, int count, bool isOpen)
    {
        int timesteps = isOpen ? count + 1 : count;
        return SigmaFunctions.Make(count, i =>
        {
            float timestep = Linspace(TrainedSchedule.Steps - 1, 0, timesteps, i);
            int below = (int)timestep;
            float part = timestep - below;
            float low = (1 - part) * LogSigma(trained, below);
            float high = part * LogSigma(trained, (int)MathF.Ceiling(timestep));
            float sum = low + high;
            return (float)Math.Exp(sum);
        });
    }

    private static float LogSigma(TrainedSchedule trained, int timestep) => (float)Math.Log(trained.ExactSigmas[timestep]);

    private static float Linspace(float from, float to, int count, int index)
    {
        if (count == 1) return from;
        float stride = (to - from) / (count - 1);
        return index < count / 2
            ? MathF.FusedMultiplyAdd(stride, index, from)
            : MathF.FusedMultiplyAdd(-stride, count - 1 - index, to);
    }
}

using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// UniPC: a predictor and a corrector that share the evaluation of each step (Zhao et al., 2023, "UniPC", in the form for a model that
/// predicts the denoised latents). With the dialect of diffusers its order is 2 (scheduling_unipc_multistep.py,
/// UniPCMultistepScheduler.step), otherwise 3 (ComfyUI comfy/extra_samplers/uni_pc.py, UniPC.sample; AUTOMATIC1111's "UniPC"). Draws no
/// noise after the start.
/// </summary>
/// <remarks>
/// The evaluation at a step's start first corrects the latents that the step before predicted, then the step predicts those at its end;
/// <see cref="UniPcCoefficients"/> has both formulas. The order begins with 1, rises with the evaluations that ran, and falls to 1 in the
/// last step. diffusers' last step leads to sigma 0, which gives the denoised latents; ComfyUI's leads to sigma 0.001. AUTOMATIC1111
/// chooses other noise levels; here it follows the schedule, as in ComfyUI.
/// </remarks>
internal sealed class UniPcSampler : Sampler
{
    // comfy/extra_samplers/uni_pc.py, sample_unipc: the last sigma in place of 0, whose logarithm is not finite.
    private const float LastSigmaOfComfy = 0.001f;

    private readonly int _order;

    // By the order less 1, then by the step.
    private readonly UniPcCoefficients[][] _predictors;
    private readonly UniPcCoefficients[][] _correctors;

    // The largest order for which the noise levels that a step reads differ.
    private readonly int[] _largestOrders;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="isBh2">Whether B(h) is exp(-h) - 1; otherwise it is -h.</param>
    /// <param name="dialect">The program whose order and last step are used.</param>
    public UniPcSampler(SigmaSchedule schedule, bool isBh2, SamplingDialect dialect) : base(OnePerStep(schedule), 1 + OrderOf(dialect))
    {
        _order = OrderOf(dialect);
        float[] sigmas = schedule.Sigmas.ToArray();
        if (dialect != SamplingDialect.Diffusers) sigmas[^1] = Math.Min(LastSigmaOfComfy, sigmas[^2]);
        _largestOrders = new int[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++) _largestOrders[step] = LargestOrder(sigmas, step);
        _predictors = new UniPcCoefficients[_order][];
        _correctors = new UniPcCoefficients[_order][];
        for (int i = 0; i < _order; i++)
        {
            _predictors[i] = new UniPcCoefficients[schedule.Steps];
            _correctors[i] = new UniPcCoefficients[schedule.Steps];
            for (int step = 0; step < schedule.Steps; step++)
            {
                if (i >= _largestOrders[step]) continue;
                ReadOnlySpan<float> levels = sigmas.AsSpan(step - i, i + 2);
                _predictors[i][step] = UniPcCoefficients.Predictor(levels, isBh2);
                _correctors[i][step] = UniPcCoefficients.Corrector(levels, isBh2);
            }
        }
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        int step = evaluation.Step;
        int before = EvaluatedBefore(evaluation);
        Span<float> corrected = state.History();
        if (before == 0) state.Latents.CopyTo(corrected);
        else Correct(_correctors[OrderAt(step - 1, before - 1) - 1][step - 1], step, state);
        UniPcCoefficients predictor = _predictors[OrderAt(step, before) - 1][step];
        TensorPrimitives.Multiply(corrected, predictor.Latents, state.Latents);
        TensorPrimitives.MultiplyAdd(state.Denoised, predictor.Start, state.Latents, state.Latents);
        AddKept(state, step - 1, predictor.Before, state.Latents);
        AddKept(state, step - 2, predictor.Earlier, state.Latents);
        state.Denoised.CopyTo(Kept(state, step));
    }

    private static int OrderOf(SamplingDialect dialect) => dialect == SamplingDialect.Diffusers ? 2 : 3;

    // Corrects the latents at the start of a step, which begin as those at the start of the step before.
    private void Correct(UniPcCoefficients corrector, int step, SamplerState state)
    {
        Span<float> corrected = state.History();
        TensorPrimitives.Multiply(corrected, corrector.Latents, corrected);
        TensorPrimitives.MultiplyAdd(state.Denoised, corrector.End, corrected, corrected);
        AddKept(state, step - 1, corrector.Start, corrected);
        AddKept(state, step - 2, corrector.Before, corrected);
        AddKept(state, step - 3, corrector.Earlier, corrected);
    }

    private void AddKept(SamplerState state, int step, float factor, Span<float> sum)
    {
        if (factor != 0) TensorPrimitives.MultiplyAdd(Kept(state, step), factor, sum, sum);
    }

    // The denoised latents of the last evaluations, in a ring behind the corrected latents.
    private Span<float> Kept(SamplerState state, int step) => state.History(1 + step % _order);

    private int OrderAt(int step, int before) =>
        Math.Min(Math.Min(_largestOrders[step], before + 1), Evaluations.Length - step);

    private int LargestOrder(ReadOnlySpan<float> sigmas, int step)
    {
        int order = 1;
        while (order < _order && order <= step && sigmas[step - order] > sigmas[step - order + 1]) order++;
        return order;
    }
}

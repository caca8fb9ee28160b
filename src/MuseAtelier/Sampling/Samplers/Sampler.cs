using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MuseAtelier.Sampling;

/// <summary>
/// A sampling method: it decides at which noise levels the UNet is evaluated, and computes from each evaluation the latents for the next
/// one. It sees sigmas, predictions and noise, never the model (the cut of k-diffusion, k_diffusion/sampling.py).
/// </summary>
/// <remarks>
/// One instance advances all pictures of a batch, one after the other, on the engine's thread. It must therefore keep what depends on a
/// picture in <see cref="SamplerState.History"/> and not in fields, or a picture would depend on its place in the batch.
/// </remarks>
[Experimental(Experiments.Sampling)]
public abstract class Sampler
{
    /// <summary>The most draws of noise for one evaluation.</summary>
    public const int MostNoiseDraws = 8;

    /// <summary>The most buffers of a sampler.</summary>
    public const int MostHistory = 8;

    /// <summary>The most evaluations of a sampler: as many as there are trained timesteps.</summary>
    public const int MostEvaluations = TrainedSchedule.Steps;

    private readonly Evaluation[] _evaluations;

    /// <summary>Fixes the evaluations of a schedule.</summary>
    /// <param name="evaluations">All evaluations in order: 1 to <see cref="MostEvaluations"/>. Copied.</param>
    /// <param name="history">The number of latent-sized buffers for each picture, 0 to <see cref="MostHistory"/>.</param>
    /// <exception cref="ArgumentException">An evaluation or a number is out of range.</exception>
    protected Sampler(IReadOnlyList<Evaluation> evaluations, int history = 0)
    {
        ArgumentNullException.ThrowIfNull(evaluations);
        ArgumentOutOfRangeException.ThrowIfNegative(history);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(history, MostHistory);
        if (evaluations.Count is < 1 or > MostEvaluations)
            throw new ArgumentException(Text($"A sampler has 1 to {MostEvaluations} evaluations, not {evaluations.Count}."));
        _evaluations = [.. evaluations];
        for (int i = 0; i < _evaluations.Length; i++) Check(i);
        History = history;
    }

    /// <summary>All evaluations in order. The first one's latents are the initial latents.</summary>
    public ReadOnlySpan<Evaluation> Evaluations => _evaluations;

    /// <summary>The number of latent-sized buffers that the denoising loop lends the sampler for each picture.</summary>
    public int History { get; }

    /// <summary>The kind of noise that <see cref="Advance"/> expects; independent draws by default.</summary>
    public virtual StepNoise StepNoise => StepNoise.Independent;

    /// <summary>
    /// The evaluation with which denoising begins: 0, or the first one of a later step, where a picture is denoised from an existing one.
    /// The denoising loop sets it before the first <see cref="Advance"/>. Earlier evaluations do not run, so that a sampler which keeps
    /// predictions in <see cref="SamplerState.History"/> must not read those from before it.
    /// </summary>
    public int FirstEvaluation { get; private set; }

    /// <summary>
    /// The two sigmas, descending, between which a draw of noise is the increment of a Brownian motion: its noise is standard normal, and
    /// draws of intervals that overlap are correlated (<see cref="StepNoise"/>). Each sigma is limited to those of the schedule above 0.
    /// Noise sources without such a motion draw independent numbers instead.
    /// </summary>
    /// <param name="evaluation">The evaluation after which the noise is drawn.</param>
    /// <param name="draw">The draw, from 0 up to the evaluation's <see cref="Evaluation.NoiseDraws"/>.</param>
    /// <returns>By default the sigma of the evaluation's step and that of the next step, which is 0 after the last step.</returns>
    public virtual (float From, float To) NoiseInterval(in Evaluation evaluation, int draw)
    {
        int first = evaluation.Index;
        while (first > 0 && _evaluations[first - 1].Step == evaluation.Step) first--;
        int next = evaluation.Index + 1;
        while (next < _evaluations.Length && _evaluations[next].Step == evaluation.Step) next++;
        return (_evaluations[first].Sigma, next < _evaluations.Length ? _evaluations[next].Sigma : 0);
    }

    /// <summary>
    /// Advances one picture after an evaluation: reads the prediction, and leaves the latents for the next evaluation in
    /// <see cref="SamplerState.Latents"/>. Must not allocate, because it runs in the denoising loop.
    /// </summary>
    /// <param name="evaluation">The evaluation that has just finished.</param>
    /// <param name="state">The picture's numbers; borrowed.</param>
    public abstract void Advance(in Evaluation evaluation, SamplerState state);

    /// <summary>Sets <see cref="FirstEvaluation"/>; for the denoising loop.</summary>
    /// <param name="evaluation">The index of an evaluation that is the first one of its step.</param>
    internal virtual void BeginAt(int evaluation)
    {
        if (evaluation < 0 || evaluation >= _evaluations.Length || !IsFirstOfStep(_evaluations[evaluation]))
            throw new ArgumentOutOfRangeException(nameof(evaluation), evaluation, "Denoising begins with the first evaluation of a step.");
        FirstEvaluation = evaluation;
    }

    /// <summary>The evaluations of a method that evaluates the UNet once at the start of each step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="noiseDraws">Gives the draws of noise for a step, from 0; null means none.</param>
    protected static IReadOnlyList<Evaluation> OnePerStep(SigmaSchedule schedule, Func<int, int>? noiseDraws = null)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var evaluations = new Evaluation[schedule.Steps];
        for (int step = 0; step < evaluations.Length; step++)
        {
            int draws = noiseDraws?.Invoke(step) ?? 0;
            evaluations[step] = new Evaluation(step, step, schedule.Sigmas[step], schedule.Timesteps[step], draws);
        }

        return evaluations;
    }

    /// <summary>
    /// The evaluations of a method that evaluates the UNet at the start of each step, and in some steps at a second noise level.
    /// </summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="second">Gives the second noise level of a step, from 0; 0 means that the step has one evaluation.</param>
    /// <param name="noiseDraws">Gives the draws of noise after the last evaluation of a step; null means none.</param>
    /// <param name="noiseDrawsBetween">Gives the draws of noise after the first one of two evaluations; null means none.</param>
    /// <exception cref="StepCountException">The schedule has more steps than half of <see cref="MostEvaluations"/>.</exception>
    private protected static List<Evaluation> TwoPerStep(
        SigmaSchedule schedule, Func<int, double> second, Func<int, int>? noiseDraws = null, Func<int, int>? noiseDrawsBetween = null)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        if (schedule.Steps > MostEvaluations / 2) throw new StepCountException(schedule.Steps, MostEvaluations / 2);
        List<Evaluation> evaluations = [];
        for (int step = 0; step < schedule.Steps; step++)
        {
            int draws = noiseDraws?.Invoke(step) ?? 0;
            float sigma = (float)second(step);
            int drawsOfFirst = sigma > 0 ? noiseDrawsBetween?.Invoke(step) ?? 0 : draws;
            evaluations.Add(new Evaluation(evaluations.Count, step, schedule.Sigmas[step], schedule.Timesteps[step], drawsOfFirst));
            if (sigma > 0) evaluations.Add(new Evaluation(evaluations.Count, step, sigma, TimestepOf(step, sigma), draws));
        }

        return evaluations;

        // The end of a step has a timestep of its own in the schedule.
        float TimestepOf(int step, float sigma) =>
            sigma == schedule.Sigmas[step + 1] ? schedule.Timesteps[step + 1] : schedule.TimestepOf(sigma);
    }

    /// <summary>The number of evaluations that ran before an evaluation.</summary>
    private protected int EvaluatedBefore(in Evaluation evaluation) => evaluation.Index - FirstEvaluation;

    /// <summary>Whether an evaluation is the first one of its step.</summary>
    private protected bool IsFirstOfStep(in Evaluation evaluation) =>
        evaluation.Index == 0 || _evaluations[evaluation.Index - 1].Step != evaluation.Step;

    /// <summary>Whether an evaluation is the last one of its step.</summary>
    private protected bool IsLastOfStep(in Evaluation evaluation) =>
        evaluation.Index == _evaluations.Length - 1 || _evaluations[evaluation.Index + 1].Step != evaluation.Step;

    private void Check(int index)
    {
        Evaluation evaluation = _evaluations[index];
        int before = index == 0 ? 0 : _evaluations[index - 1].Step;
        if (evaluation.Index != index) throw Refusal("its index is not its place in the list");
        if (evaluation.Step != before && evaluation.Step != before + 1) throw Refusal("steps are not counted up from 0 one by one");
        if (!(evaluation.Sigma is > 0 and < float.PositiveInfinity)) throw Refusal("its sigma is not a positive finite number");
        if (!(evaluation.Timestep is >= TrainedSchedule.LeastTimestep and <= TrainedSchedule.Steps))
            throw Refusal("its timestep is not from -26 to 1000");
        if (evaluation.NoiseDraws is < 0 or > MostNoiseDraws) throw Refusal(Text($"it draws noise {evaluation.NoiseDraws} times"));

        ArgumentException Refusal(string reason) => new(Text($"Evaluation {index} of a sampler is out of range: {reason}."));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

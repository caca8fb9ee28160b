using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Runtime;

namespace MuseAtelier.Sampling;

/// <summary>The denoising loop: evaluates the UNet and advances the latents of all pictures of a batch.</summary>
internal sealed class DenoisingLoop : IDisposable
{
    private readonly SamplingRecipe _recipe;
    private readonly BatchNoise _noise;
    private readonly IDenoiser _denoiser;
    private readonly PreviewGrid? _previews;
    private readonly LatentBatch _batch;
    private readonly BatchSource _source;
    private readonly StepHashes[] _hashes;
    private readonly int _first;

    /// <summary>Draws the initial noise, and writes the latents at which denoising begins.</summary>
    /// <param name="recipe">The schedule and the methods; all pictures share them.</param>
    /// <param name="noise">The noise of each picture.</param>
    /// <param name="slot">The slot of the first picture; the others follow it.</param>
    /// <param name="denoiser">Prepared for the batch and the recipe's evaluations; borrowed.</param>
    /// <param name="inputs">The start, and what stays fixed during all evaluations.</param>
    /// <param name="previews">Receives a preview of every evaluation; null means none.</param>
    /// <param name="allocate">Allocates host memory of a number of bytes, which the loop disposes.</param>
    public DenoisingLoop(
        SamplingRecipe recipe,
        PictureNoise[] noise,
        BatchSlot slot,
        IDenoiser denoiser,
        DenoisingInputs inputs,
        PreviewGrid? previews,
        Func<long, NativeBuffer> allocate)
    {
        _recipe = recipe;
        _denoiser = denoiser;
        _previews = previews;
        _first = recipe.FirstEvaluation;
        int evaluations = recipe.EvaluationsRun;
        if (evaluations > 0) recipe.Sampler.BeginAt(_first);
        Clock = new StepClock(evaluations);
        _hashes = [.. noise.Select(_ => new StepHashes(evaluations))];
        _batch = new LatentBatch(denoiser, slot, noise.Length, recipe.Guidance, recipe.Sampler, allocate);
        try
        {
            _source = new BatchSource(inputs, recipe, _batch, allocate);
            _noise = new BatchNoise(noise, recipe, _batch.Latents(0).Length, allocate);
            _source.Begin(_noise, _hashes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The time and the managed memory of the evaluations so far.</summary>
    public StepClock Clock { get; }

    /// <summary>
    /// The resemblance of the first picture's first prediction to its input; null before, and where it tells nothing about the model: for
    /// a model that does not predict noise, and where the first noise level is too low.
    /// </summary>
    public float? FirstResemblance { get; private set; }

    /// <summary>Runs all evaluations; allocates nothing managed.</summary>
    /// <param name="options">The picture's run options.</param>
    /// <param name="finished">Called after each evaluation with the number of those that are finished; not measured.</param>
    /// <param name="cancellationToken">Stops within an evaluation.</param>
    /// <exception cref="NotFiniteException">A prediction is not finite.</exception>
    public void Run(RunOptions options, Action<int> finished, CancellationToken cancellationToken)
    {
        foreach (Evaluation evaluation in _recipe.Evaluations[_first..])
        {
            Clock.Begin();
            cancellationToken.ThrowIfCancellationRequested();
            _batch.Begin(evaluation.Step);
            _source.BeginEvaluation(evaluation);
            _recipe.Prediction.ScaleInput(_batch, evaluation.Sigma);
            _denoiser.Start(evaluation.Index, options, cancellationToken);
            _noise.Draw(evaluation, _batch);
            _denoiser.Wait();
            CheckOutput(evaluation);
            _recipe.Guidance.Apply(_batch, evaluation.Step);
            if (_recipe.Guidance.IsScaledAt(evaluation.Step)) _recipe.Rescale?.Apply(_batch, _recipe.Prediction, evaluation.Sigma);
            _recipe.Prediction.Resolve(_batch, evaluation.Sigma);
            _source.EndPrediction(evaluation);
            _previews?.Paint(_batch);
            Advance(evaluation);
            _source.EndEvaluation(evaluation);
            TakeHashes(evaluation);
            Clock.End();
            finished(evaluation.Index - _first + 1);
        }
    }

    /// <summary>A picture's latents, [4, h, w] fp32 in the scale of the UNet; borrowed.</summary>
    public ReadOnlySpan<float> Latents(int picture) => _batch.Latents(picture);

    /// <summary>Digests of a picture's start and of its evaluations so far.</summary>
    public IReadOnlyList<StepHash> Hashes(int picture) => _hashes[picture].All;

    /// <inheritdoc/>
    public void Dispose()
    {
        _noise?.Dispose();
        _source?.Dispose();
        _batch.Dispose();
    }

    private void CheckOutput(in Evaluation evaluation)
    {
        if (!_batch.IsOutputFinite()) throw NotFiniteException.OfUNet(evaluation.Step + 1, _denoiser.Precision);
        bool tells = evaluation.Index == 0 && evaluation.Sigma >= PredictionResemblance.LeastSigma;
        if (tells && _recipe.Prediction is EpsilonPrediction)
            FirstResemblance = PredictionResemblance.Measure(_batch.Input(0), _batch.Output(0));
    }

    private void Advance(in Evaluation evaluation)
    {
        for (int i = 0; i < _batch.Pictures; i++) _recipe.Sampler.Advance(evaluation, _batch.State(i));
    }

    private void TakeHashes(in Evaluation evaluation)
    {
        for (int i = 0; i < _batch.Pictures; i++)
            _hashes[i].Take(evaluation.Index - _first + 1, _batch.Noise(i, evaluation.NoiseDraws), _batch.Latents(i));
    }
}

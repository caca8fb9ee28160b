using MuseAtelier.Runtime;

namespace MuseAtelier.Sampling;

/// <summary>Draws the noise of the pictures of a batch, each from its own generators; drawing allocates nothing managed.</summary>
internal sealed class BatchNoise : IDisposable
{
    private readonly PictureNoise[] _noise;
    private readonly BrownianMotion? _motion;

    /// <summary>Prepares the draws. Brownian noise has memory and threads of its own.</summary>
    /// <param name="noise">The noise of each picture.</param>
    /// <param name="recipe">The sampler and its schedule.</param>
    /// <param name="length">The numbers of a picture's latents.</param>
    /// <param name="allocate">Allocates host memory of a number of bytes.</param>
    public BatchNoise(PictureNoise[] noise, SamplingRecipe recipe, int length, Func<long, NativeBuffer> allocate)
    {
        _noise = noise;
        BrownianNoise?[] brownian =
            [.. noise.Select(picture => picture.Brownian?.Serves(recipe.Sampler.StepNoise) == true ? picture.Brownian : null)];
        if (recipe.EvaluationsRun == 0 || brownian.All(picture => picture is null)) return;
        var plan = new BrownianPlan(recipe.Sampler, recipe.BrownianSigmas, recipe.FirstEvaluation);
        if (plan.Slots > 0) _motion = new BrownianMotion(plan, brownian, length, allocate, new NoiseThreads(NoiseThreads.Usual));
    }

    /// <summary>Draws a picture's initial noise, or numbers that its program draws from the same generator before or after it.</summary>
    /// <param name="picture">The picture, from 0.</param>
    /// <param name="numbers">Receives the numbers.</param>
    public void DrawBeforeSteps(int picture, Span<float> numbers) => _noise[picture].Start.Fill(numbers);

    /// <summary>
    /// Draws the noise of an evaluation. It depends on nothing that the device computes, so the device may work meanwhile.
    /// </summary>
    public void Draw(in Evaluation evaluation, LatentBatch batch)
    {
        if (evaluation.NoiseDraws == 0) return;
        _motion?.Draw(evaluation, batch);
        for (int i = 0; i < _noise.Length; i++)
        {
            if (_motion?.Serves(i) == true) continue;
            for (int draw = 0; draw < evaluation.NoiseDraws; draw++)
            {
                // Each draw is one call, because two halves of a draw are not the same as a whole one.
                Span<float> all = batch.Noise(i, draw + 1);
                _noise[i].Steps.Fill(all[(all.Length / (draw + 1) * draw)..]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _motion?.Dispose();
}

using MuseAtelier.Conditioning;

namespace MuseAtelier.Sampling;

/// <summary>What one evaluation of the UNet is conditioned on.</summary>
/// <param name="Timestep">The timestep.</param>
/// <param name="Set">The index of its set of prompts.</param>
/// <param name="HasAllRows">
/// Whether it has all rows of the batch. If not, it has the last ones alone, those of the prompt, one for each slot.
/// </param>
internal readonly record struct EvaluationCondition(float Timestep, int Set, bool HasAllRows);

/// <summary>What the evaluations of a batch are conditioned on.</summary>
/// <param name="Sets">[sets][rows] the embeddings of every row of the batch, for each set of prompts.</param>
/// <param name="TimeIds">[6]: original height and width, crop top and left, target height and width, in px.</param>
/// <param name="Evaluations">The conditions of each evaluation.</param>
internal sealed record BatchConditions(
    IReadOnlyList<PromptEmbeds[]> Sets, float[] TimeIds, IReadOnlyList<EvaluationCondition> Evaluations)
{
    /// <summary>Index of the first evaluation that runs; nothing is computed for those before it.</summary>
    public int FirstEvaluation { get; init; }

    /// <summary>One set of prompts for all evaluations, which have all rows.</summary>
    /// <param name="rows">The embeddings of every row.</param>
    /// <param name="timeIds">See <see cref="TimeIds"/>.</param>
    /// <param name="timesteps">The timestep of every evaluation.</param>
    public static BatchConditions Of(ReadOnlySpan<PromptEmbeds> rows, ReadOnlySpan<float> timeIds, ReadOnlySpan<float> timesteps)
    {
        var evaluations = new EvaluationCondition[timesteps.Length];
        for (int i = 0; i < evaluations.Length; i++) evaluations[i] = new EvaluationCondition(timesteps[i], 0, HasAllRows: true);
        return new BatchConditions([rows.ToArray()], timeIds.ToArray(), evaluations);
    }
}

using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// Classifier-free guidance (Ho and Salimans, 2022): unconditional + scale * (conditional - unconditional), with the prediction for the
/// negative prompt as the unconditional one; inside the interval of steps that the request names (Kynkäänniemi et al., 2024). A prompt of
/// several parts adds the difference of each part times its weight (AUTOMATIC1111, modules/sd_samplers_cfg_denoiser.py,
/// combine_denoised), on the UNet's output.
/// </summary>
internal sealed class Guidance
{
    private readonly float[] _weights;
    private readonly float _scale;
    private readonly float _from;
    private readonly float _to;
    private readonly int _steps;

    /// <param name="request">The request, which has the guidance scale and the interval.</param>
    /// <param name="weights">The weight of each part of the prompt; null means one part of weight 1.</param>
    /// <param name="steps">
    /// The number of steps that the sampler makes, which some schedules change; null means that of the request.
    /// </param>
    public Guidance(PictureRequest request, IReadOnlyList<float>? weights = null, int? steps = null)
    {
        _weights = weights is null ? [1] : [.. weights];
        _scale = request.IsGuided ? request.GuidanceScale : 1;
        _from = request.GuidanceFrom;
        _to = request.GuidanceTo;
        _steps = steps ?? request.Steps;
        for (int step = 0; step < _steps && !IsGuided; step++) IsGuided = IsGuidedAt(step);
    }

    /// <summary>Whether any evaluation is guided, so that a batch has rows for the negative prompt.</summary>
    public bool IsGuided { get; }

    /// <summary>The number of parts of the prompt.</summary>
    public int Parts => _weights.Length;

    /// <summary>Rows that each picture has in a guided evaluation, or in every evaluation if none is guided.</summary>
    public int RowsPerPicture => Parts + (IsGuided ? 1 : 0);

    /// <summary>
    /// Whether the evaluations of a step also predict for the negative prompt: inside the interval, and always if the prompt has several
    /// parts, because their sum is formed from the differences. The other evaluations have one row for each picture.
    /// </summary>
    /// <param name="step">The step, from 0.</param>
    public bool IsGuidedAt(int step) => Parts > 1 || IsScaledAt(step);

    /// <summary>Whether the guidance scale has an effect in a step: it is above 1, and the step is inside the interval.</summary>
    /// <param name="step">The step, from 0.</param>
    public bool IsScaledAt(int step) => _scale > 1 && IsInside(step);

    /// <summary>Guides the output of every picture of a batch, in place; does nothing if the evaluation is not guided.</summary>
    /// <param name="batch">The batch, after an evaluation.</param>
    /// <param name="step">The evaluation's step, from 0.</param>
    public void Apply(LatentBatch batch, int step)
    {
        if (!IsGuidedAt(step)) return;
        float scale = IsInside(step) ? _scale : 1;
        for (int i = 0; i < batch.Pictures; i++)
        {
            ReadOnlySpan<float> unconditional = batch.UnconditionalOutput(i);
            Apply(unconditional, batch.Output(i), Weighted(0, scale));
            for (int part = 1; part < Parts; part++)
                Add(unconditional, batch.Output(i, part), Weighted(part, scale), batch.Output(i));
        }
    }

    /// <summary>Guides one prediction; allocates nothing.</summary>
    /// <param name="unconditional">The prediction for the negative prompt; borrowed.</param>
    /// <param name="conditional">The prediction for the prompt, as long as <paramref name="unconditional"/>; receives the result.</param>
    /// <param name="scale">The guidance scale.</param>
    /// <exception cref="ArgumentException">The predictions overlap.</exception>
    public static void Apply(ReadOnlySpan<float> unconditional, Span<float> conditional, float scale)
    {
        if (unconditional.Overlaps(conditional))
            throw new ArgumentException("The result would overwrite the unconditional prediction, read twice.", nameof(conditional));
        TensorPrimitives.Subtract(conditional, unconditional, conditional);
        TensorPrimitives.MultiplyAdd(conditional, scale, unconditional, conditional);
    }

    // Adds scale * (conditional - unconditional) to a sum. The difference replaces the conditional prediction.
    private static void Add(ReadOnlySpan<float> unconditional, Span<float> conditional, float scale, Span<float> sum)
    {
        TensorPrimitives.Subtract(conditional, unconditional, conditional);
        TensorPrimitives.MultiplyAdd(conditional, scale, sum, sum);
    }

    private float Weighted(int part, float scale) => (float)((double)_weights[part] * scale);

    // In fp32: the share of step 4 of 20 is then the same number as 0.2 in a request.
    private bool IsInside(int step)
    {
        float share = (float)step / _steps;
        return share >= _from && (share < _to || _to >= 1);
    }
}

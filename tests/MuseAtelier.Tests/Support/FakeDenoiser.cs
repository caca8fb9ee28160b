using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Sampling;

namespace MuseAtelier.Tests.Support;

/// <summary>A made-up UNet, which predicts each number from the same number of its input and from the timestep of the evaluation.</summary>
internal sealed class FakeDenoiser : IDenoiser
{
    private readonly SamplingRecipe _recipe;
    private readonly float[] _input;
    private readonly float[] _output;
    private readonly int _length;

    /// <param name="recipe">The evaluations.</param>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="length">Numbers of a latent.</param>
    /// <param name="extra">Numbers of the extra channels.</param>
    public FakeDenoiser(SamplingRecipe recipe, int rows, int length, int extra = 0)
    {
        _recipe = recipe;
        _length = length;
        Rows = rows;
        _input = new float[rows * (length + extra)];
        _output = new float[rows * length];
    }

    public int Rows { get; }

    public Precision Precision => Precision.Fp32;

    public Span<float> Input => _input;

    public Span<float> Output => _output;

    /// <summary>Indices of the evaluations that were started.</summary>
    public List<int> Started { get; } = new(64);

    /// <summary>A number that stands in the output in place of a prediction from then on.</summary>
    public float? Fault { get; set; }

    /// <summary>
    /// The made-up model: 0.8 sin(0.7 x + t / 1000), with a phase for the negative prompt and for each part of the prompt but the first.
    /// </summary>
    public static float Predict(float input, float timestep, bool isNegative = false, int part = 0) =>
        (float)(0.8 * Math.Sin(0.7 * input + timestep / 1000.0 + (isNegative ? 0.3 : -0.2 * part)));

    public void Start(int evaluation, RunOptions options, CancellationToken cancellationToken)
    {
        Started.Add(evaluation);
        float timestep = _recipe.Evaluations[evaluation].Timestep;
        int inputLength = _input.Length / Rows;
        int slots = Rows / _recipe.Guidance.RowsPerPicture;
        bool isGuided = _recipe.Guidance.IsGuidedAt(_recipe.Evaluations[evaluation].Step);
        int rows = isGuided ? Rows : slots;
        // Rows that are not evaluated must not be read.
        _output.AsSpan(rows * _length).Fill(float.NaN);
        for (int row = 0; row < rows; row++)
        {
            int part = row / slots - (isGuided ? 1 : 0);
            for (int i = 0; i < _length; i++)
                _output[row * _length + i] = Fault ?? Predict(_input[row * inputLength + i], timestep, part < 0, part);
        }
    }

    public void Wait()
    {
        // The prediction is complete when Start returns.
    }
}

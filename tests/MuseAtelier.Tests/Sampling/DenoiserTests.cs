using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>The UNet of the Miniature with several sets of prompts, and with evaluations of fewer rows.</summary>
public sealed class DenoiserTests : IDisposable
{
    private const int Side = 16;

    private static readonly float[] TimeIds = [128, 128, 0, 0, 128, 128];

    private readonly OpenedModel _model = OpenedModel.Open(TestAtelier.Checkpoint, TestAtelier.Options, null, Cancellation);
    private readonly TextConditioner _texts;

    public DenoiserTests() => _texts = new TextConditioner(_model.Package, _model.Sessions, _model.Device);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Start_OfEvaluationsOfSeveralSetsAndRows_PredictsWhatEachPredictsAlone()
    {
        PromptEmbeds[][] sets = [[Encode("fog"), Encode("a lighthouse")], [Encode("fog"), Encode("sunflowers in a vase")]];
        EvaluationCondition[] evaluations =
        [
            new(900, 0, HasAllRows: false), new(700, 1, HasAllRows: true), new(500, 0, HasAllRows: true),
            new(300, 1, HasAllRows: false), new(100, 0, HasAllRows: false),
        ];
        using Denoiser denoiser = Open(2, unguidedRows: 1);
        denoiser.Prepare(new BatchConditions(sets, TimeIds, evaluations), _model.Options, Cancellation);
        float[][] first = [.. evaluations.Select((_, i) => Predict(denoiser, i, evaluations[i].HasAllRows ? 2 : 1))];
        for (int i = 0; i < evaluations.Length; i++)
        {
            EvaluationCondition evaluation = evaluations[i];
            PromptEmbeds[] rows = evaluation.HasAllRows ? sets[evaluation.Set] : sets[evaluation.Set][1..];
            using Denoiser alone = Open(rows.Length);
            alone.Prepare(rows, TimeIds, [evaluation.Timestep], _model.Options, Cancellation);
            float[] expected = Predict(alone, 0, rows.Length);
            Assert.Equal(expected.Length, first[i].Length);
            Assert.True(Likeness.RelativeError(first[i], expected) < 1e-5);
        }

        // In any order, and prepared again, each gives the same bits.
        for (int i = evaluations.Length - 1; i >= 0; i--) Assert.Equal(first[i], Predict(denoiser, i, evaluations[i].HasAllRows ? 2 : 1));
        denoiser.Prepare(new BatchConditions([sets[1]], TimeIds, [new(700, 0, HasAllRows: true)]), _model.Options, Cancellation);
        Assert.True(Likeness.RelativeError(Predict(denoiser, 0, 2), first[1]) < 1e-5);
        denoiser.Prepare(new BatchConditions(sets, TimeIds, evaluations), _model.Options, Cancellation);
        for (int i = 0; i < evaluations.Length; i++) Assert.Equal(first[i], Predict(denoiser, i, evaluations[i].HasAllRows ? 2 : 1));
    }

    [Fact]
    public void Start_OfAnotherSetInEveryEvaluation_AllocatesNothingManaged()
    {
        PromptEmbeds[][] sets = [[Encode("fog"), Encode("a lighthouse")], [Encode("fog"), Encode("sunflowers in a vase")]];
        EvaluationCondition[] evaluations =
            [.. Enumerable.Range(0, 8).Select(i => new EvaluationCondition(900 - 100 * i, i % 2, HasAllRows: i % 3 == 0))];
        using Denoiser denoiser = Open(2, unguidedRows: 1);
        denoiser.Prepare(new BatchConditions(sets, TimeIds, evaluations), _model.Options, Cancellation);
        RunAll();
        long before = GC.GetAllocatedBytesForCurrentThread();
        RunAll();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void RunAll()
        {
            for (int i = 0; i < evaluations.Length; i++)
            {
                denoiser.Start(i, _model.Options, Cancellation);
                denoiser.Wait();
            }
        }
    }

    public void Dispose()
    {
        _texts.Dispose();
        _model.Dispose();
    }

    private Denoiser Open(int rows, int unguidedRows = 0) =>
        new(_model.Package, new PictureShape(rows, Side, Side, 1), _model.Sessions, _model.Device, unguidedRows);

    private PromptEmbeds Encode(string prompt) =>
        _texts.Encode(PromptChunks.Of(PromptTokenizer.Encode(prompt)), _model.Options, Cancellation);

    // The prediction of the first rows, for the same numbers in every row. The input is written anew, as the denoising loop does.
    private float[] Predict(Denoiser denoiser, int evaluation, int rows)
    {
        int length = denoiser.Input.Length / denoiser.Rows;
        for (int i = 0; i < denoiser.Input.Length; i++) denoiser.Input[i] = MathF.Sin(i % length * 0.37f);
        denoiser.Output.Fill(float.NaN);
        denoiser.Start(evaluation, _model.Options, Cancellation);
        denoiser.Wait();
        Assert.DoesNotContain(denoiser.Output[..(rows * length)].ToArray(), float.IsNaN);
        Assert.All(denoiser.Output[(rows * length)..].ToArray(), value => Assert.True(float.IsNaN(value)));
        return denoiser.Output[..(rows * length)].ToArray();
    }
}

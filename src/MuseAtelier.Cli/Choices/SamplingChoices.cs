using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options of a request that change how it is sampled and guided, beside those that most users know.</summary>
internal sealed class SamplingChoices
{
    private readonly Option<SamplingDialect> _dialect = Choice.Of<SamplingDialect>(
        "--dialect",
        "The program whose functions are used where programs mean different functions by one name of a schedule or a sampler.");
    private readonly Option<float> _eta = Choice.Number(
        "--eta", "The strength of the noise in every step, 0 to 1. [default: the sampler's own]", null);
    private readonly Option<TimestepList?> _timesteps = new("--timesteps")
    {
        Description = "The timesteps themselves, falling, with commas between them. Their number is that of the steps.",
        HelpName = "T,T,...",
        CustomParser = ParseTimesteps,
    };
    private readonly Option<ModelPrediction> _prediction = Choice.Named<ModelPrediction>(
        "--prediction",
        "What the model predicts: automatic reads the marks in its file.",
        new Dictionary<string, ModelPrediction>
        {
            ["automatic"] = ModelPrediction.Automatic,
            ["epsilon"] = ModelPrediction.Epsilon,
            ["v"] = ModelPrediction.Velocity,
            ["v-zsnr"] = ModelPrediction.VelocityZeroSnr,
            ["edm"] = ModelPrediction.Edm,
            ["v-edm"] = ModelPrediction.VelocityEdm,
            ["sample"] = ModelPrediction.Sample,
        });
    private readonly Option<float> _rescale = Choice.Number(
        "--rescale-guidance",
        "The share, 0 to 1, in which the guided prediction is rescaled to the standard deviation of the prompt's own. 0.7 suits models "
            + "with zero terminal SNR.",
        0);
    private readonly Option<float> _from = Choice.Number(
        "--guidance-from", "The share of the steps, 0 to 1, after which guidance begins. Steps without guidance take half the time.", 0);
    private readonly Option<float> _to = Choice.Number("--guidance-to", "The share of the steps, 0 to 1, after which guidance ends.", 1);
    private readonly Option<ulong> _variationSeed = new("--variation-seed")
    {
        Description = "The seed of the noise that --variation-strength mixes in.",
        HelpName = "N",
        CustomParser = ParseSeed,
    };
    private readonly Option<float> _variationStrength = Choice.Number(
        "--variation-strength", "The share of the variation's noise in the initial noise, 0 to 1.", 0);

    /// <summary>The options.</summary>
    public IReadOnlyList<Option> All =>
        [_dialect, _eta, _timesteps, _prediction, _rescale, _from, _to, _variationSeed, _variationStrength];

    /// <summary>A request with the changes that the command line names.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="basis">Supplies the value of every option that is not given.</param>
    public PictureRequest Read(ParseResult result, PictureRequest basis)
    {
        PictureRequest request = basis with
        {
            Dialect = Choice.Given(result, _dialect, basis.Dialect),
            Eta = Choice.IsGiven(result, _eta) ? result.GetValue(_eta) : basis.Eta,
            Prediction = Choice.Given(result, _prediction, basis.Prediction),
            GuidanceRescale = Choice.Given(result, _rescale, basis.GuidanceRescale),
            GuidanceFrom = Choice.Given(result, _from, basis.GuidanceFrom),
            GuidanceTo = Choice.Given(result, _to, basis.GuidanceTo),
            VariationSeed = Choice.Given(result, _variationSeed, basis.VariationSeed),
            VariationStrength = Choice.Given(result, _variationStrength, basis.VariationStrength),
        };
        if (!Choice.IsGiven(result, _timesteps)) return request;
        TimestepList timesteps = result.GetValue(_timesteps)!;
        return request with { Steps = timesteps.Count, Schedule = request.Schedule with { Timesteps = timesteps } };
    }

    private static TimestepList? ParseTimesteps(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        int[] timesteps = new int[Math.Min(parts.Length, 1000)];
        bool areWhole = parts.Length <= timesteps.Length;
        for (int i = 0; areWhole && i < timesteps.Length; i++)
            areWhole = int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out timesteps[i]);
        try
        {
            if (areWhole) return new TimestepList(timesteps);
        }
        catch (ArgumentException)
        {
            // The refusal below says what is expected.
        }

        result.AddError($"--timesteps is '{text}'; expected whole numbers from 0 to 999, falling, with commas between them");
        return null;
    }

    private static ulong ParseSeed(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)) return seed;
        result.AddError($"--variation-seed is '{text}'; expected a whole number from 0 to {ulong.MaxValue}");
        return 0;
    }
}

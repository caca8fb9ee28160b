using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using static System.FormattableString;

namespace MuseAtelier.Cli.Choices;

/// <summary>A picture of a series, and the words that tell it from the others.</summary>
/// <param name="Request">The picture.</param>
/// <param name="Label">What differs, such as "strength 0.4".</param>
internal sealed record Variation(PictureRequest Request, string Label);

/// <summary>The options that say in what the pictures of a series differ.</summary>
internal sealed class VariationChoices
{
    /// <summary>The most pictures of a series.</summary>
    public const int MostPictures = 64;

    private const int UsualCount = 4;

    private readonly Option<float[]?> _strengths = Numbers("--strengths", "The strengths of the pictures, such as 0.2,0.4,0.6.");
    private readonly Option<float[]?> _guidances = Numbers("--guidances", "The guidance scales of the pictures, such as 4,7,10.");
    private readonly Option<int> _count = Choice.Whole(
        "--count",
        Invariant($"Number of seeds, which follow one another. [default: {UsualCount} if neither strengths nor guidance scales are given, ")
            + "else 1]",
        0,
        least: 1,
        most: MostPictures);
    private readonly Option<int> _columns = Choice.Whole(
        "--columns",
        "Pictures of a row of the sheet. [default: a row for each seed, or a square]",
        0,
        least: 1,
        most: MostPictures);

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="request">The options of the request, to which they belong.</param>
    public VariationChoices(Command command, RequestChoices request)
    {
        _count.DefaultValueFactory = null;
        _columns.DefaultValueFactory = null;
        foreach (Option option in (Option[])[_strengths, _guidances, _count, _columns]) command.Add(option);
        command.Validators.Add(result =>
        {
            request.RequireSource(result, _strengths);
            int pictures = NumberOf(result, _strengths) * NumberOf(result, _guidances) * Seeds(result);
            if (pictures > MostPictures)
                result.AddError(Invariant($"the series has {pictures} pictures; expected at most {MostPictures}"));
        });
    }

    /// <summary>The pictures of the series, row by row: seeds below one another, strengths and guidance scales side by side.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="first">The picture that they are made from.</param>
    public IReadOnlyList<Variation> Read(ParseResult result, PictureRequest first)
    {
        float?[] strengths = Values(result, _strengths), guidances = Values(result, _guidances);
        int seeds = Seeds(result.CommandResult);
        List<Variation> series = [];
        for (int i = 0; i < seeds; i++)
            foreach (float? strength in strengths)
                foreach (float? guidance in guidances)
                    series.Add(Of(first.InSeries(i), strength, guidance, seeds > 1));
        return series;
    }

    /// <summary>The pictures of a row of the sheet.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="pictures">The pictures of the series.</param>
    public int ColumnsOf(ParseResult result, int pictures)
    {
        if (Choice.IsGiven(result, _columns)) return result.GetValue(_columns);
        int seeds = Seeds(result.CommandResult);
        return seeds < pictures ? pictures / seeds : (int)Math.Ceiling(Math.Sqrt(pictures));
    }

    private static Variation Of(PictureRequest request, float? strength, float? guidance, bool hasSeeds)
    {
        List<string> words = [];
        if (strength is { } share)
        {
            request = request with { Source = request.Source! with { Strength = share } };
            words.Add(Invariant($"strength {share}"));
        }

        if (guidance is { } scale)
        {
            request = request with { GuidanceScale = scale };
            words.Add(Invariant($"guidance {scale}"));
        }

        bool isVaried = request.VariationStrength > 0;
        if (hasSeeds) words.Add(isVaried ? Invariant($"variation {request.VariationSeed}") : Invariant($"seed {request.Seed}"));
        return new Variation(request, string.Join(", ", words));
    }

    private int Seeds(CommandResult result)
    {
        bool isCount = int.TryParse(WordOf(result, _count), NumberStyles.None, CultureInfo.InvariantCulture, out int count);
        if (isCount) return Math.Clamp(count, 1, MostPictures);
        return WordOf(result, _strengths) is null && WordOf(result, _guidances) is null ? UsualCount : 1;
    }

    // One value that changes nothing where the option is not given: its own value is an empty array then.
    private static float?[] Values(ParseResult result, Option<float[]?> option) =>
        result.GetValue(option) is { Length: > 0 } values ? [.. values.Select(value => (float?)value)] : [null];

    private static int NumberOf(CommandResult result, Option option) =>
        WordOf(result, option) is { } word ? word.AsSpan().Count(',') + 1 : 1;

    // Reads the token, not the value: one that its parser refuses has no value.
    private static string? WordOf(CommandResult result, Option option) =>
        result.GetResult(option) is { Implicit: false, Tokens: [var word, ..] } ? word.Value : null;

    private static Option<float[]?> Numbers(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "X,X,...",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            string[] parts = text.Split(',', MostPictures + 1, StringSplitOptions.TrimEntries);
            float[] numbers = new float[Math.Min(parts.Length, MostPictures)];
            bool areNumbers = parts.Length <= MostPictures;
            for (int i = 0; areNumbers && i < numbers.Length; i++)
                areNumbers = float.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]);
            if (areNumbers) return numbers;
            result.AddError(Choice.Refusal(name, text, Invariant($"1 to {MostPictures} numbers with commas between them")));
            return null;
        },
    };
}

using System.Text.RegularExpressions;

namespace MuseAtelier.Conditioning;

/// <summary>A part of a prompt between the words <c>AND</c>, whose prediction is combined with those of the other parts.</summary>
/// <param name="Text">The text without its weight.</param>
/// <param name="Weight">The weight of the part's guidance.</param>
/// <param name="Name">The part's name in notices and errors.</param>
internal sealed partial record PromptPart(string Text, float Weight, string Name)
{
    /// <summary>The most parts of a prompt. Each one is a row of the denoiser for each picture.</summary>
    public const int MostParts = 8;

    private static readonly string[] Ordinals = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];

    /// <summary>
    /// Splits a prompt into its parts <c>text :weight</c> (AUTOMATIC1111, modules/prompt_parser.py, get_multicond_prompt_list). A weight at
    /// the end of a prompt without <c>AND</c> is text here; AUTOMATIC1111 multiplies the guidance by it.
    /// </summary>
    /// <param name="prompt">The prompt as the user wrote it.</param>
    /// <param name="name">The prompt's name in notices and errors.</param>
    /// <param name="notices">Receives a sentence about such a weight.</param>
    /// <exception cref="PromptException">There are too many parts, or a weight is out of range.</exception>
    public static IReadOnlyList<PromptPart> Split(string prompt, string name, List<string> notices)
    {
        List<string> texts = [];
        int start = 0;
        foreach (ValueMatch match in AndPattern().EnumerateMatches(prompt))
        {
            texts.Add(prompt[start..match.Index]);
            if (texts.Count == MostParts) throw PromptException.TooManyParts(name, MostParts);
            start = match.Index + match.Length;
        }

        texts.Add(prompt[start..]);
        if (texts.Count > 1) return [.. texts.Select((text, i) => Read(text, $"{Ordinals[i]} part of the {name}"))];
        (int end, string number) = FindWeight(prompt);
        if (number.Length > 0)
        {
            notices.Add($"The {name} ends with ':{number}', which is painted as text. AUTOMATIC1111 reads it as a weight of the whole "
                + "prompt and multiplies the guidance scale by it.");
            end = SkipBack(prompt, prompt.Length);
        }

        return [new PromptPart(prompt[..end], 1, name)];
    }

    /// <summary>Whether a prompt has the word that separates parts.</summary>
    public static bool HasAnd(string prompt) => AndPattern().IsMatch(prompt);

    private static PromptPart Read(string text, string name)
    {
        (int end, string number) = FindWeight(text);
        double weight = 1;
        if (number.Length > 0 && !PromptNumber.TryParse(number, out weight)) throw PromptException.NotANumber(name, number);
        if (!(Math.Abs(weight) <= PromptParser.LargestWeight))
            throw PromptException.WeightOutOfRange(name, weight, PromptParser.LargestWeight);
        return new PromptPart(text[..end], (float)weight, name);
    }

    // The end of the text, without the white space behind it, and the number after the colon at the end of a part: digits with at most one
    // point. The number is empty if there is none.
    private static (int End, string Number) FindWeight(string text)
    {
        int end = SkipBack(text, text.Length);
        int at = end, points = 0;
        while (at > 0 && (char.IsDigit(text[at - 1]) || text[at - 1] == '.'))
        {
            at--;
            if (text[at] == '.') points++;
        }

        if (points > 1 || end - at == points) return (end, "");
        if (at > 0 && text[at - 1] is '+' or '-') at--;
        string number = text[at..end];
        at = SkipBack(text, at);
        return at > 0 && text[at - 1] == ':' ? (SkipBack(text, at - 1), number) : (end, "");
    }

    private static int SkipBack(string text, int at)
    {
        while (at > 0 && PromptNumber.IsWhiteSpace(text[at - 1])) at--;
        return at;
    }

    [GeneratedRegex(@"\bAND\b", RegexOptions.CultureInvariant)]
    private static partial Regex AndPattern();
}

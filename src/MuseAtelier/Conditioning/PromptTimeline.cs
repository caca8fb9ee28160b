using System.Text;

namespace MuseAtelier.Conditioning;

/// <summary>The texts that a prompt with editing and alternation has over the steps.</summary>
/// <param name="Texts">The different texts, in the order in which steps first use them.</param>
/// <param name="TextOfStep">[steps] the index of each step's text.</param>
/// <param name="IsRead">
/// Whether the prompt could be read; if not, all of it is text, with its brackets.
/// </param>
internal sealed record PromptTimeline(IReadOnlyList<string> Texts, IReadOnlyList<int> TextOfStep, bool IsRead)
{
    /// <summary>The most different texts of a prompt, and the most different sets of prompts of a picture.</summary>
    public const int MostTexts = 64;

    /// <summary>
    /// Reads a prompt and finds its text in every step. AUTOMATIC1111 counts evaluations of the denoiser from 0 and compares that number
    /// with the step behind the colon (modules/prompt_parser.py, reconstruct_cond_batch), so that <c>[a:b:5]</c> is <c>a</c> in six steps,
    /// and the first text of an alternation has two steps in a row at the beginning. Steps are counted here where it counts evaluations;
    /// both are the same for samplers with one evaluation a step.
    /// </summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="steps">The steps of the picture, at least 1.</param>
    /// <param name="name">The prompt's name in errors.</param>
    /// <exception cref="PromptException">The prompt has too many different texts, or editing is nested too deep.</exception>
    public static PromptTimeline Of(string prompt, int steps, string name)
    {
        IReadOnlyList<EditPiece>? pieces = new PromptEditParser(prompt, steps, name).Run();
        if (pieces is null || pieces.All(piece => piece is FixedPiece))
            return new PromptTimeline([prompt], new int[steps], IsRead: pieces is not null);

        // 1. The steps behind which editing changes the text, and the steps after which all alternation begins again.
        bool[] changes = new bool[steps + 1];
        int period = FindPeriod(pieces, steps, changes, 1);

        // 2. The text of each step, in AUTOMATIC1111's counting: the first two have the same.
        List<string> texts = [];
        Dictionary<string, int> known = [];
        int[] textOfStep = new int[steps];
        var text = new StringBuilder();
        int lastChange = 1;
        for (int i = 0; i < steps; i++)
        {
            if (i > 0 && changes[i - 1]) lastChange = i;
            if (i == 1 || i - period >= lastChange)
            {
                textOfStep[i] = textOfStep[i == 1 ? 0 : i - period];
                continue;
            }

            text.Clear();
            Write(pieces, Math.Max(1, i), text);
            string written = text.ToString();
            if (!known.TryGetValue(written, out int index))
            {
                if (texts.Count == MostTexts) throw PromptException.TooManyVersions(name, MostTexts);
                index = known[written] = texts.Count;
                texts.Add(written);
            }

            textOfStep[i] = index;
        }

        return new PromptTimeline(texts, textOfStep, true);
    }

    // Marks the steps behind which editing changes the text. Returns the least common multiple of the numbers of options and of the given
    // period, or the number of steps if it is larger.
    private static int FindPeriod(IReadOnlyList<EditPiece> pieces, int steps, bool[] changes, int period)
    {
        foreach (EditPiece piece in pieces)
        {
            if (piece is SwitchPiece change)
            {
                changes[change.When] = true;
                period = FindPeriod(change.Before, steps, changes, period);
                period = FindPeriod(change.After, steps, changes, period);
            }
            else if (piece is CyclePiece cycle)
            {
                int multiple = period;
                while (multiple % cycle.Options.Count != 0 && multiple < steps) multiple += period;
                period = Math.Min(multiple, steps);
                foreach (IReadOnlyList<EditPiece> option in cycle.Options) period = FindPeriod(option, steps, changes, period);
            }
        }

        return period;
    }

    private static void Write(IReadOnlyList<EditPiece> pieces, int step, StringBuilder text)
    {
        foreach (EditPiece piece in pieces)
        {
            switch (piece)
            {
                case FixedPiece { Text: var part }:
                    text.Append(part);
                    break;
                case SwitchPiece change:
                    Write(step <= change.When ? change.Before : change.After, step, text);
                    break;
                case CyclePiece cycle:
                    Write(cycle.Options[(step - 1) % cycle.Options.Count], step, text);
                    break;
            }
        }
    }
}

using System.Globalization;
using System.Text;
using MuseAtelier.Conditioning;

namespace MuseAtelier.Tests.Conditioning;

/// <summary>Prompt editing and alternation: what each step sees.</summary>
public sealed class PromptTimelineTests
{
    // The columns are steps, prompt, and the schedule of AUTOMATIC1111: the last step of each text, in its counting, and the text. The
    // values follow from the grammar of get_learned_conditioning_prompt_schedules (modules/prompt_parser.py), and agree with its output.
    [Theory]
    [InlineData(10, "a quiet harbour at dawn, oil on canvas", "10=a quiet harbour at dawn, oil on canvas")]
    [InlineData(10, "a [stone:marble:0.5] statue in a garden", "5=a stone statue in a garden¦10=a marble statue in a garden")]
    [InlineData(10, "a statue [covered in moss:0.3], soft light", "3=a statue , soft light¦10=a statue covered in moss, soft light")]
    [InlineData(10, "a lighthouse [in thick fog::0.7] above the sea",
        "7=a lighthouse in thick fog above the sea¦10=a lighthouse  above the sea")]
    [InlineData(20, "portrait of a [young:old:6] fisherman", "6=portrait of a young fisherman¦20=portrait of a old fisherman")]
    [InlineData(30, "[sketch:watercolor painting:0.2] of a heron, [reeds:15]",
        "6=sketch of a heron, ¦15=watercolor painting of a heron, ¦30=watercolor painting of a heron, reeds")]
    [InlineData(10, "[a: b:4]", "4=a¦10= b")]
    [InlineData(10, "[ oak : birch : 4 ] alley", "4= oak  alley¦10= birch  alley")]
    [InlineData(10, "[fog:.25]", "2=¦10=fog")]
    [InlineData(10, "[fog:5.]", "10=")]
    [InlineData(10, "[fog::1e1] over hills", "10=fog over hills")]
    [InlineData(10, "[fog:sun:+3]", "3=fog¦10=sun")]
    [InlineData(10, "[fog:sun:-2]", "10=sun")]
    [InlineData(10, "[fog:sun:0]", "10=sun")]
    [InlineData(10, "[fog:sun:0.05]", "10=sun")]
    [InlineData(10, "[fog:sun:99]", "10=fog")]
    [InlineData(10, "[fog:sun:1.5]", "10=fog")]
    [InlineData(10, "[:sun:4] [moon::4]", "4= moon¦10=sun ")]
    [InlineData(10, "[:4][::4]x", "10=x")]
    [InlineData(4, "a [red|blue] door", "1=a red door¦2=a blue door¦3=a red door¦4=a blue door")]
    [InlineData(6, "a [red|green|blue] door, [day|night]",
        "1=a red door, day¦2=a green door, night¦3=a blue door, day¦4=a red door, night¦5=a green door, day¦6=a blue door, night")]
    [InlineData(4, "[snow|] on the [|old ]bridge",
        "1=snow on the bridge¦2= on the old bridge¦3=snow on the bridge¦4= on the old bridge")]
    [InlineData(4, "[(gold:1.2)|silver] leaf", "1=(gold:1.2) leaf¦2=silver leaf¦3=(gold:1.2) leaf¦4=silver leaf")]
    [InlineData(8, "[[autumn:winter:0.25]:spring:0.75] forest", "2=autumn forest¦6=winter forest¦8=spring forest")]
    [InlineData(8, "[autumn:[winter:spring:6]:2] forest", "2=autumn forest¦6=winter forest¦8=spring forest")]
    [InlineData(8, "[[red|blue]:green:0.5] door", "1=red door¦2=blue door¦3=red door¦4=blue door¦8=green door")]
    [InlineData(4, "[[a:b:2]|c] d", "1=a d¦2=c d¦3=b d¦4=c d")]
    public void Of_OfEditingAndAlternation_GivesAUTOMATIC1111sTexts(int steps, string prompt, string schedule) =>
        AssertSchedule(steps, prompt, schedule);

    // The same for weights, brackets that are text, escapes, and prompts that the grammar does not have.
    [Theory]
    [InlineData(10, "((a [calm:stormy:0.5] sea)), (waves:1.3)", "5=((a calm sea)), (waves:1.3)¦10=((a stormy sea)), (waves:1.3)")]
    [InlineData(10, "(a [calm:stormy:0.5] sea:1.3)", "5=(a calm sea:1.3)¦10=(a stormy sea:1.3)")]
    [InlineData(10, "([calm:stormy:3]:1.2) sea", "3=(calm:1.2) sea¦10=(stormy:1.2) sea")]
    [InlineData(10, "[(calm:1.4):(stormy:0.8):3] sea", "3=(calm:1.4) sea¦10=(stormy:0.8) sea")]
    [InlineData(10, "[[calm]:3] sea", "3= sea¦10=[calm] sea")]
    [InlineData(10, "a [soft] cloud, [[very soft]] sky", "10=a [soft] cloud, [[very soft]] sky")]
    [InlineData(10, "a cloud [unfinished", "10=a cloud [unfinished")]
    [InlineData(10, "a cloud [unfinished:3 and [rain:snow:3] later",
        "3=a cloud [unfinished:3 and rain later¦10=a cloud [unfinished:3 and snow later")]
    [InlineData(10, "closed) too early] [rain:snow:3]", "3=closed) too early] rain¦10=closed) too early] snow")]
    [InlineData(10, "(open [rain:snow:3] to the end", "3=(open rain to the end¦10=(open snow to the end")]
    [InlineData(10, "\\[rain:snow:3\\] stays", "10=\\[rain:snow:3\\] stays")]
    [InlineData(10, "\\(left\\) [rain\\:x:snow:3]", "3=\\(left\\) rain\\:x¦10=\\(left\\) snow")]
    [InlineData(10, "[a\\|b:c:3]", "3=a\\|b¦10=c")]
    [InlineData(10, "ratio 3:2, [rain:snow:3]", "3=ratio 3:2, rain¦10=ratio 3:2, snow")]
    [InlineData(10, "[rain:snow:sun:3]", "10=[rain:snow:sun:3]")]
    [InlineData(10, "[rain:snow:half]", "10=[rain:snow:half]")]
    [InlineData(10, "[rain:snow:3 steps]", "10=[rain:snow:3 steps]")]
    [InlineData(10, "[rain|snow:3]", "10=[rain|snow:3]")]
    [InlineData(10, "(red|blue) door, [rain:snow:3]", "10=(red|blue) door, [rain:snow:3]")]
    [InlineData(10, "red | blue, [rain:snow:3]", "10=red | blue, [rain:snow:3]")]
    [InlineData(10, "[rain:snow:3] ends with \\", "10=[rain:snow:3] ends with \\")]
    [InlineData(10, "[(a:b:c):snow:3] x", "10=[(a:b:c):snow:3] x")]
    [InlineData(10, "(a:b) [c:d:3]", "3=(a:b) c¦10=(a:b) d")]
    [InlineData(10, "one [two:3], [four:5], [six:7]", "3=one , , ¦5=one two, , ¦7=one two, four, ¦10=one two, four, six")]
    [InlineData(10, "line one\n[rain:snow:3]\nline three", "3=line one\nrain\nline three¦10=line one\nsnow\nline three")]
    [InlineData(10, "[月:雪:3] の庭", "3=月 の庭¦10=雪 の庭")]
    [InlineData(10, "<lora:ink:[0.2:0.8:3]> brush", "3=<lora:ink:0.2> brush¦10=<lora:ink:0.8> brush")]
    [InlineData(10, "a [cat:dog:0.5] AND b", "5=a cat AND b¦10=a dog AND b")]
    [InlineData(5, "[a|b|c|d|e|f|g]", "1=a¦2=b¦3=c¦4=d¦5=e")]
    [InlineData(1, "[a:b:0.5] [c|d]", "1=b c")]
    [InlineData(10, "((a][:b:c [d:3] e", "3=((a][:b:c  e¦10=((a][:b:c d e")]
    [InlineData(10, "", "10=")]
    [InlineData(10, "[]", "10=[]")]
    public void Of_WithinAndWithoutBrackets_GivesAUTOMATIC1111sTexts(int steps, string prompt, string schedule) =>
        AssertSchedule(steps, prompt, schedule);

    [Fact]
    public void Of_OfAPrompt_CountsEachTextOnce()
    {
        var timeline = PromptTimeline.Of("[a|b|a] c", 7, "prompt");
        Assert.Equal(["a c", "b c"], timeline.Texts);
        Assert.Equal([0, 0, 1, 0, 0, 1, 0], timeline.TextOfStep);
        Assert.True(timeline.IsRead);
        Assert.Equal(["a [b:c]"], PromptTimeline.Of("a [b:c]", 7, "prompt").Texts);
    }

    // AUTOMATIC1111 takes these for editing in some runs and for text in others, by the order of a Python set.
    [Theory]
    [InlineData("[rain:snow:3]: a print", "rain: a print", "snow: a print")]
    [InlineData("[rain:snow:3]) x", "rain) x", "snow) x")]
    [InlineData("a [rain:snow:3](", "a rain(", "a snow(")]
    public void Of_OfEditingBeforeABracketThatIsText_Edits(string prompt, string first, string second) =>
        Assert.Equal([first, second], PromptTimeline.Of(prompt, 10, "prompt").Texts);

    [Theory]
    [InlineData("a | b")]
    [InlineData("[a:b:3] (c|d)")]
    [InlineData("[a|b:3]")]
    [InlineData("[a:b:3] \\")]
    [InlineData("[a:b:3] \\\n")]
    public void Of_OfWhatTheGrammarDoesNotHave_TakesAllForText(string prompt)
    {
        var timeline = PromptTimeline.Of(prompt, 10, "prompt");
        Assert.False(timeline.IsRead);
        Assert.Equal([prompt], timeline.Texts);
    }

    [Fact]
    public void Of_OfMoreThan64Texts_IsRefused()
    {
        string options = string.Join('|', Enumerable.Range(0, 65));
        Assert.Equal(64, PromptTimeline.Of($"[{options}]", 65, "prompt").Texts.Count);
        var exception = Assert.Throws<PromptException>(() => PromptTimeline.Of($"[{options}]", 66, "negative prompt"));
        Assert.Contains("the negative prompt has more than 64 versions", exception.Message, StringComparison.Ordinal);
        Assert.Contains("at most 64", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_OfDeepEditing_IsRefused()
    {
        Assert.Equal(33, PromptTimeline.Of(Nested(32), 1000, "prompt").Texts.Count);
        var exception = Assert.Throws<PromptException>(() => PromptTimeline.Of(Nested(33), 1000, "prompt"));
        Assert.Contains("nested deeper than 32", exception.Message, StringComparison.Ordinal);

        static string Nested(int levels)
        {
            string prompt = "x";
            for (int level = levels; level > 0; level--) prompt = FormattableString.Invariant($"([a{level}:{prompt}:{level}])");
            return prompt;
        }
    }

    // Time-outs of other tests would show a search that starts over.
    [Theory]
    [InlineData("[")]
    [InlineData("(")]
    [InlineData("[a:")]
    [InlineData("[a|")]
    [InlineData("[(")]
    [InlineData("[a:b:3]")]
    [InlineData("[a|b]")]
    [InlineData("((a)")]
    [InlineData("(a:1)]")]
    [InlineData("[a: ")]
    [InlineData("]")]
    [InlineData("\\")]
    [InlineData("[:1")]
    public void Of_OfLongText_IsReadOnce(string piece)
    {
        string prompt = string.Concat(Enumerable.Repeat(piece, RequestRules.LongestPrompt / piece.Length));
        foreach (string end in (string[])["", "]", string.Concat(Enumerable.Repeat(":1]", 100))])
            AssertRead(prompt + end);

        static void AssertRead(string text)
        {
            try
            {
                Assert.InRange(PromptTimeline.Of(text, 100, "prompt").Texts.Count, 1, 3);
            }
            catch (PromptException exception)
            {
                Assert.Contains("nested deeper than 32", exception.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Of_OfDeepParentheses_ReadsTheEditingWithin()
    {
        string deep = new string('(', 100_000) + "[a:b:3]" + new string(')', 100_000);
        Assert.Equal(2, PromptTimeline.Of(deep, 10, "prompt").Texts.Count);
    }

    [Fact]
    public void Of_OfRandomText_AgreesWithTheGrammar()
    {
        string[] pieces =
        [
            "(", ")", "[", "]", ":", ":", "|", "a", "b ", " ", "0.5", "3", @"\", "\n", "-1", "1e1", "5.", @"\[", @"\|", "[a:b:3]", "[x|y]",
            "(w:1.2)", ":5]", "[c",
        ];
        var random = new Random(26);
        int edited = 0;
        for (int i = 0; i < 6000; i++)
        {
            string[] some = [.. Enumerable.Range(0, 1 + random.Next(9)).Select(_ => pieces[random.Next(pieces.Length)])];
            string prompt = string.Concat(Enumerable.Range(0, random.Next(14)).Select(_ => some[random.Next(some.Length)]));
            string[] texts = [.. TextsOf(prompt, 10)];
            Assert.Equal(new Grammar(prompt, 10).Texts(), texts);
            if (texts[0] != prompt) edited++;
        }

        Assert.InRange(edited, 900, 6000);
    }

    private static void AssertSchedule(int steps, string prompt, string schedule)
    {
        (int End, string Text)[] entries = [.. schedule.Split('¦').Select(entry => entry.Split('=', 2))
            .Select(entry => (int.Parse(entry[0], CultureInfo.InvariantCulture), entry[1]))];
        // reconstruct_cond_batch: evaluations are counted from 0, and the first text whose end is not passed is used.
        IEnumerable<string> expected = Enumerable.Range(0, steps).Select(step => entries.First(entry => step <= entry.End).Text);
        Assert.Equal(expected, TextsOf(prompt, steps));
    }

    private static IEnumerable<string> TextsOf(string prompt, int steps)
    {
        var timeline = PromptTimeline.Of(prompt, steps, "prompt");
        return timeline.TextOfStep.Select(text => timeline.Texts[text]);
    }

    /// <summary>
    /// The grammar, read by trying: a bracket is a group if one can be read there, and text otherwise.
    /// </summary>
    private sealed class Grammar(string prompt, int steps)
    {
        private readonly Dictionary<(int At, int Step), (string? Text, int End)> _items = [];
        private int _at;

        public IEnumerable<string> Texts() => Enumerable.Range(0, steps).Select(step => Start(Math.Max(1, step)) ?? prompt);

        // start: (prompt | bracket | colon)*
        private string? Start(int step)
        {
            var text = new StringBuilder();
            _at = 0;
            while (_at < prompt.Length)
            {
                if (Item(step) is { } item) text.Append(item);
                else if ("()[]:".Contains(prompt[_at], StringComparison.Ordinal)) text.Append(prompt[_at++]);
                else return null;
            }

            return text.ToString();
        }

        // prompt: (emphasized | scheduled | alternate | plain)*
        private string Prompt(int step)
        {
            var text = new StringBuilder();
            while (_at < prompt.Length && Item(step) is { } item) text.Append(item);
            return text.ToString();
        }

        private string? Item(int step)
        {
            (int At, int Step) key = (_at, step);
            if (_items.TryGetValue(key, out (string? Text, int End) known)) _at = known.End;
            else _items[key] = known = (ReadItem(step), _at);
            return known.Text;
        }

        private string? ReadItem(int step)
        {
            int start = _at;
            char letter = prompt[_at];
            if (letter is '(' or '[')
            {
                foreach (Func<int, string?> rule in (Func<int, string?>[])[Emphasized, Switched, Added, Alternate])
                {
                    _at = start;
                    if (rule(step) is { } text) return text;
                }

                _at = start;
                return null;
            }

            if (letter == '\\' ? _at + 1 == prompt.Length || prompt[_at + 1] == '\n' : ")]:|".Contains(letter, StringComparison.Ordinal))
                return null;
            _at += letter == '\\' ? 2 : 1;
            return prompt[start.._at];
        }

        private string? Emphasized(int step)
        {
            int start = _at;
            char closing = prompt[_at++] == '(' ? ')' : ']';
            string text = Prompt(step);
            if (closing == ')' && Take(':')) text += ":" + Prompt(step);
            return Take(closing) ? $"{prompt[start]}{text}{closing}" : null;
        }

        private string? Switched(int step)
        {
            if (!Take('[')) return null;
            string before = Prompt(step);
            if (!Take(':')) return null;
            string after = Prompt(step);
            return End() is { } when ? step <= when ? before : after : null;
        }

        private string? Added(int step)
        {
            if (!Take('[')) return null;
            string after = Prompt(step);
            return End() is { } when ? step <= when ? "" : after : null;
        }

        private string? Alternate(int step)
        {
            if (!Take('[')) return null;
            List<string> options = [Prompt(step)];
            while (Take('|')) options.Add(Prompt(step));
            return options.Count > 1 && Take(']') ? options[(step - 1) % options.Count] : null;
        }

        private double? End()
        {
            if (!Take(':')) return null;
            int end = prompt.IndexOf(']', _at);
            if (end < 0) return null;
            string word = prompt[_at..end].Trim();
            bool isNumber = double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double number);
            _at = end + 1;
            return isNumber ? Math.Truncate(word.Contains('.', StringComparison.Ordinal) ? number * steps : number) : null;
        }

        private bool Take(char letter)
        {
            if (_at == prompt.Length || prompt[_at] != letter) return false;
            _at++;
            return true;
        }
    }
}

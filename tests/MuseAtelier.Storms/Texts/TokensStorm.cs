using System.CommandLine;
using System.Diagnostics;
using System.Text;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Texts;

/// <summary>Tokenizes prompts of up to a million characters in many scripts. Time and memory must stay below bounds.</summary>
internal static class TokensStorm
{
    private const double MiB = 1 << 20;

    // A size that takes longer must be the last one, because the next would take 16 times as long if the time is quadratic.
    private const double MostSecondsToGoOn = 1;

    private const int Growth = 4;

    /// <summary>The pieces of the texts. Each piece fills one text by itself, and all pieces fill another.</summary>
    public static IReadOnlyList<(string Name, string Piece)> Scripts { get; } =
    [
        ("words", "a starry night, "),
        ("oneWord", "a"),
        ("oneDigit", "7"),
        ("punctuation", "!"),
        ("spaces", " "),
        ("lines", "\r\n"),
        ("accents", "e\u0301"),
        ("marks", "\u0301\u0327"),
        ("greek", "Ἀγάπη"),
        ("russian", "ночь"),
        ("arabic", "سماء"),
        ("hindi", "क्षि"),
        ("thai", "กำแพง"),
        ("hangul", "\u1112\u1161\u11ab"),
        ("chinese", "星空"),
        ("japanese", "夜空がきれい"),
        ("emoji", "🌃"),
        ("family", "👩‍👩‍👧‍👦"),
        ("halves", "\ud83c"),
        ("zeroWidth", "\u200b\ufeff"),
        ("escapes", "(a:1.3)\\("),
        ("entities", "&amp;"),
    ];

    public static Command Command()
    {
        Option<int> length = StormCommand.Number("--length", "Characters of the longest texts.", 1_000_000);
        Option<int> milliseconds = StormCommand.Number("--bound-ms", "Milliseconds that a text may take; 0 means no bound.", 50);
        Option<int> mib = StormCommand.Number("--bound-mib", "MiB that a text may allocate.", 64);
        return StormCommand.Storm(
            "tokens",
            "Splits prompts of up to a million characters of many scripts; time and memory are bounded.",
            [length, milliseconds, mib],
            (result, report) => RunAsync(result.GetValue(length), result.GetValue(milliseconds), result.GetValue(mib), report)
        );
    }

    public static Task RunAsync(int length, int boundMilliseconds, int boundMib, StormReport report)
    {
        // A first text is tokenized before, because types that are loaded once must not count.
        foreach ((_, string piece) in Scripts)
            PromptTokenizer.Encode(Repeat(piece, 100));
        foreach ((string name, string piece) in Scripts.Append(("all", string.Concat(Scripts.Select(script => script.Piece + " ")))))
            Measure(name, piece, length, boundMilliseconds, boundMib, report);
        return Task.CompletedTask;
    }

    private static void Measure(string name, string piece, int length, int boundMilliseconds, int boundMib, StormReport report)
    {
        for (int size = Math.Min(1000, length); ; size = Math.Min(Growth * size, length))
        {
            string text = Repeat(piece, size);
            (double seconds, double allocated) = Encode(name, text, report);
            // A slow text is tokenized once more, because the first time may include compilation or a busy machine.
            if (seconds > MostSecondsToGoOn)
                seconds = Math.Min(seconds, Encode(name, text, report).Seconds);
            report.Add("texts");
            bool isLast = size == length,
                goesOn = seconds < MostSecondsToGoOn;
            if (!isLast && goesOn)
                continue;
            report.Figure($"{name}.ms", 1000 * seconds);
            report.Figure($"{name}.allocatedMib", allocated / MiB);
            string where = FormattableString.Invariant($"{name}, {size} characters");
            if (!isLast)
                report.Fail("slow", where, FormattableString.Invariant($"{seconds:F1} s; longer ones were left out"));
            else if (boundMilliseconds > 0 && 1000 * seconds > boundMilliseconds)
                report.Fail("slow", where, FormattableString.Invariant($"{1000 * seconds:F0} ms; allowed are {boundMilliseconds}"));
            if (allocated > boundMib * MiB)
                report.Fail("allocated", where, FormattableString.Invariant($"{allocated / MiB:F0} MiB; allowed are {boundMib}"));
            return;
        }
    }

    private static (double Seconds, double Allocated) Encode(string name, string text, StormReport report)
    {
        long before = GC.GetAllocatedBytesForCurrentThread(),
            start = Stopwatch.GetTimestamp();
        try
        {
            PromptTokens tokens = PromptTokenizer.Encode(text);
            if (tokens.ClipL.Length != 77 || tokens.ClipG.Length != 77)
                report.Fail("wrong", name, "not 77 ids");
        }
        catch (MuseAtelierException exception)
        {
            report.Add($"refused.{exception.GetType().Name}");
        }
#pragma warning disable CA1031 // The storm reports every exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            report.Fail(
                "thrown",
                FormattableString.Invariant($"{name}, {text.Length} characters"),
                $"{exception.GetType().Name}: {exception.Message}"
            );
        }

        return (Stopwatch.GetElapsedTime(start).TotalSeconds, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static string Repeat(string piece, int length)
    {
        var text = new StringBuilder(length + piece.Length);
        while (text.Length < length)
            text.Append(piece);
        return text.ToString(0, length);
    }
}

using MuseAtelier.Cli.Streams;
using Spectre.Console;

namespace MuseAtelier.Cli;

/// <summary>The outputs of a command: results go to one stream; progress, notices and errors go to the other.</summary>
/// <param name="Out">Takes results.</param>
/// <param name="Error">Takes everything else.</param>
/// <param name="OutConsole">Takes results that are tables; writes to <paramref name="Out"/>.</param>
/// <param name="ErrorConsole">Takes live displays; writes to <paramref name="Error"/>. Null if that is not a terminal.</param>
/// <param name="Stop">Stops a command like Ctrl+C.</param>
internal sealed record Terminal(
    TextWriter Out, TextWriter Error, IAnsiConsole OutConsole, IAnsiConsole? ErrorConsole, CancellationToken Stop)
{
    // Lines of a table must not wrap in a file or a pipe, because those have no window width.
    private const int PipedWidth = 1000;

    /// <summary>The outputs over the process's streams.</summary>
    /// <param name="results">Takes results.</param>
    /// <param name="isOutTerminal">Whether results go to a terminal.</param>
    /// <param name="errors">Takes everything else.</param>
    /// <param name="isErrorTerminal">Whether everything else goes to a terminal.</param>
    public static Terminal Of(GuardedWriter results, bool isOutTerminal, GuardedWriter errors, bool isErrorTerminal)
    {
        // The variable TERM alone would turn colours on, also in a file or a pipe.
        IAnsiConsole resultConsole = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isOutTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isOutTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Out = new ProcessOutput(results, isOutTerminal),
        });
        if (!isOutTerminal) resultConsole.Profile.Width = PipedWidth;
        IAnsiConsole errorConsole = AnsiConsole.Create(new AnsiConsoleSettings { Out = new ProcessOutput(errors, isErrorTerminal) });
        bool isLive = isErrorTerminal && errorConsole.Profile.Capabilities is { Interactive: true, Ansi: true };
        return new Terminal(results, errors, resultConsole, isLive ? errorConsole : null, CancellationToken.None);
    }

    /// <summary>The outputs over writers in memory or to files, without colours and live displays.</summary>
    public static Terminal Plain(TextWriter results, TextWriter errors, CancellationToken stop = default)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(results),
        });
        console.Profile.Width = PipedWidth;
        return new Terminal(results, errors, console, null, stop);
    }

    /// <summary>The reason why results could not be written; null if they could.</summary>
    public Exception? ResultFailure => (Out as GuardedWriter)?.Failure;

    /// <summary>Writes exactly one line to <see cref="Error"/>, even if the text has line breaks.</summary>
    public void WriteNotice(string kind, string text) => Error.WriteLine($"{kind}: {OneLine(text)}");

    /// <summary>
    /// The text on one line and without control characters. Texts can come from untrusted files, and a terminal would run escape
    /// sequences in them.
    /// </summary>
    public static string OneLine(string text) => string.Concat(text.ReplaceLineEndings(" ").Select(Printable));

    private static char Printable(char letter)
    {
        if (letter == '\t') return ' ';
        return char.IsControl(letter) ? '\uFFFD' : letter;
    }
}

using MuseAtelier.Cli.Streams;
using Spectre.Console;

namespace MuseAtelier.Cli;

/// <summary>Where a command writes: results to the one, progress, notices and errors to the other.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Everything else.</param>
/// <param name="OutConsole">Results that are tables; writes to <paramref name="Out"/>.</param>
/// <param name="ErrorConsole">Live displays; writes to <paramref name="Error"/>. Null where no terminal would show them.</param>
/// <param name="Stop">Stops a command like Ctrl+C.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error, IAnsiConsole OutConsole, IAnsiConsole? ErrorConsole, CancellationToken Stop)
{
    // No line of a table should break where nobody's window is too narrow for it.
    private const int PipedWidth = 1000;

    /// <summary>Streams of the process.</summary>
    /// <param name="results">Results.</param>
    /// <param name="isOutTerminal">Whether they go to a terminal.</param>
    /// <param name="errors">Everything else.</param>
    /// <param name="isErrorTerminal">Whether that goes to a terminal.</param>
    public static Terminal Of(GuardedWriter results, bool isOutTerminal, GuardedWriter errors, bool isErrorTerminal)
    {
        IAnsiConsole resultConsole = AnsiConsole.Create(new AnsiConsoleSettings { Out = new ProcessOutput(results, isOutTerminal) });
        if (!isOutTerminal) resultConsole.Profile.Width = PipedWidth;
        IAnsiConsole errorConsole = AnsiConsole.Create(new AnsiConsoleSettings { Out = new ProcessOutput(errors, isErrorTerminal) });
        bool isLive = isErrorTerminal && errorConsole.Profile.Capabilities is { Interactive: true, Ansi: true };
        return new Terminal(results, errors, resultConsole, isLive ? errorConsole : null, CancellationToken.None);
    }

    /// <summary>Writers in memory or files, shown to nobody.</summary>
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

    /// <summary>Why results could not be written; null where they could.</summary>
    public Exception? ResultFailure => (Out as GuardedWriter)?.Failure;

    /// <summary>Writes one line to <see cref="Error"/>, whatever breaks the text holds.</summary>
    public void WriteNotice(string kind, string text) => Error.WriteLine($"{kind}: {OneLine(text)}");

    /// <summary>The text without line breaks, and without other characters that a terminal takes for commands: texts come from files too.</summary>
    public static string OneLine(string text) =>
        string.Concat(text.ReplaceLineEndings(" ").Select(letter => letter == '\t' ? ' ' : char.IsControl(letter) ? '\uFFFD' : letter));
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace MuseAtelier.Cli;

/// <summary>
/// Adds lines to the end of a command's help that would be too long for its description. A list of commands shows only the first sentence
/// of each.
/// </summary>
internal static class HelpPages
{
    private static readonly string[] NoLines = [];

    /// <summary>Makes the help of each command end with its lines and the exit codes.</summary>
    /// <param name="root">The root command.</param>
    /// <param name="pages">Lines by command.</param>
    public static void Attach(RootCommand root, IReadOnlyDictionary<Command, string[]> pages)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new PageAction((HelpAction)help.Action!, pages);
    }

    private sealed class PageAction(HelpAction inner, IReadOnlyDictionary<Command, string[]> pages) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            Command command = parseResult.CommandResult.Command;
            foreach (Command listed in command.Subcommands) listed.Description = FirstSentence(listed.Description);
            int code = inner.Invoke(parseResult);
            TextWriter writer = parseResult.InvocationConfiguration.Output;
            foreach (string line in pages.GetValueOrDefault(command, NoLines)) writer.WriteLine(line);
            writer.WriteLine(ExitCode.Help);
            return code;
        }

        private static string? FirstSentence(string? description) =>
            description?.IndexOf(". ", StringComparison.Ordinal) is int end and > 0 ? description[..(end + 1)] : description;
    }
}

using System.CommandLine;

namespace MuseAtelier.Cli;

/// <summary>The option <c>--prompt-syntax</c>.</summary>
internal static class PromptSyntaxChoice
{
    public static Option<PromptSyntax> Create() => Choice.Of<PromptSyntax>(
        "--prompt-syntax",
        "The syntax of prompts. In a1111, (text), [text] and (text:1.2) are weights and BREAK begins a chunk; in comfy, (text) and "
            + "(text:1.2) are weights; both take long prompts in chunks of 75 tokens. In plain, everything is text, cut after 75 tokens.");
}

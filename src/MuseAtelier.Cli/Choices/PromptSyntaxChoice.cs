using System.CommandLine;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options that say how a prompt becomes chunks.</summary>
internal static class PromptSyntaxChoice
{
    /// <summary>The option <c>--prompt-syntax</c>.</summary>
    public static Option<PromptSyntax> Create() => Choice.Named<PromptSyntax>(
        "--prompt-syntax",
        "The syntax of prompts. In a1111, (text), [text] and (text:1.2) are weights, [a:b:0.5] and [a|b] change between steps, AND "
            + "combines prompts and BREAK begins a chunk; in comfy, (text) and (text:1.2) are weights; both take long prompts in chunks of "
            + "75 tokens. In plain, everything is text, cut after 75 tokens.",
        new Dictionary<string, PromptSyntax>
        {
            ["a1111"] = PromptSyntax.A1111,
            ["comfy"] = PromptSyntax.Comfy,
            ["plain"] = PromptSyntax.Plain,
        });

    /// <summary>The option <c>--comma-backtrack</c>.</summary>
    public static Option<int> CreateCommaBacktrack() => Choice.Whole(
        "--comma-backtrack",
        "In a1111, the most tokens behind the last comma of a full chunk that move to the next chunk, 0 to 75; 0 turns the rule off.",
        new PictureRequest { Prompt = "" }.CommaBacktrack,
        least: 0,
        most: RequestRules.MostCommaBacktrack);
}

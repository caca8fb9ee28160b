using System.CommandLine;

namespace MuseAtelier.Cli.Choices;

/// <summary>The option that names the folders in which prompts find embeddings (textual inversion).</summary>
internal static class EmbeddingChoice
{
    /// <summary>Creates the option.</summary>
    public static Option<string[]> Create() => UserPath.Several(
        "--embedding-folder",
        "A folder of embeddings (.safetensors, .pt, .bin), with its subfolders, that prompts can name; may be given several times. "
            + "[default: none]");
}

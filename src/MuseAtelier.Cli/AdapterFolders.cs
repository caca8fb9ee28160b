using System.CommandLine;
using MuseAtelier.Adapters;

namespace MuseAtelier.Cli;

/// <summary>The options that name the folders in which prompts and requests find LoRAs and embeddings.</summary>
internal sealed class AdapterFolders
{
    private readonly Option<string[]> _loras = UserPath.Several(
        "--lora-folder",
        "A folder of LoRAs (.safetensors) with its subfolders, which prompts name as <lora:name:0.8>; may be repeated. [default: none]");
    private readonly Option<string[]> _embeddings = UserPath.Several(
        "--embedding-folder",
        "A folder of embeddings (.safetensors, .pt, .bin) with its subfolders, which prompts name; may be repeated. [default: none]");

    /// <summary>Adds the options to a command.</summary>
    public AdapterFolders(Command command)
    {
        command.Add(_loras);
        command.Add(_embeddings);
    }

    /// <summary>The options of an atelier with the folders.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="atelier">The other options.</param>
    /// <exception cref="LoraFolderException">A folder of LoRAs does not exist or cannot be read.</exception>
    /// <exception cref="EmbeddingFolderException">A folder of embeddings does not exist or cannot be read.</exception>
    public AtelierOptions Read(ParseResult result, AtelierOptions atelier)
    {
        string[] loras = FullPaths(result.GetValue(_loras)), embeddings = FullPaths(result.GetValue(_embeddings));
        // A folder that is missing is said at once, not with the first picture.
        _ = new LoraFolder(loras).Current;
        _ = new EmbeddingFolder(embeddings).Scan();
        return atelier with { LoraFolders = loras, EmbeddingFolders = embeddings };
    }

    private static string[] FullPaths(string[]? paths) => [.. (paths ?? []).Select(Path.GetFullPath)];
}

using System.CommandLine;
using MuseAtelier.Adapters;
using MuseAtelier.Cli.Choices;

namespace MuseAtelier.Cli;

/// <summary>The options that name the folders in which prompts and requests find LoRAs and embeddings.</summary>
internal sealed class AdapterFolders
{
    private readonly Option<string[]> _loras = LoraChoices.Folders();
    private readonly Option<string[]> _embeddings = EmbeddingChoice.Create();

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

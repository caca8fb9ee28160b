namespace MuseAtelier.Server.Adapters;

/// <summary>Keeps the paths of LoRAs and embeddings from clients.</summary>
internal static class AdapterPaths
{
    /// <summary>A problem in whose message files of the server's folders are named without the folders.</summary>
    /// <param name="refused">The problem.</param>
    /// <param name="options">Has the folders.</param>
    public static ServerRequestException Hide(ServerRequestException refused, AtelierOptions options)
    {
        string message = options.LoraFolders.Concat(options.EmbeddingFolders)
            .Select(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar)
            .Aggregate(refused.Problem.Message, (text, folder) => text.Replace(folder, "", StringComparison.Ordinal));
        return message == refused.Problem.Message
            ? refused
            : new ServerRequestException(refused.Status, refused.Problem with { Message = message }, refused);
    }
}

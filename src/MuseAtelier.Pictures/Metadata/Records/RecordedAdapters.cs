namespace MuseAtelier.Pictures.Metadata;

/// <summary>The LoRAs and the embeddings of a painted picture, by the names and the digests of their files.</summary>
internal static class RecordedAdapters
{
    private const string UnknownName = "embedding";
    private const int MostEmbeddings = 1000;
    private const int Sha256Digits = 64;

    /// <summary>The request of a picture, with the digests of the LoRAs that painted it.</summary>
    public static PictureRequest RequestOf(Picture picture)
    {
        PictureRequest request = picture.Request;
        PictureProvenance provenance = picture.Provenance;
        if (request.Hires is { Loras: { } later } pass)
        {
            IReadOnlyList<PictureLora> loras = Named(later, provenance.SecondPassLoras ?? [], provenance.SecondPassLoraShortHashes);
            request = request with { Hires = pass with { Loras = loras } };
        }

        return request.Loras.Count == 0
            ? request
            : request with { Loras = Named(request.Loras, provenance.Loras, provenance.LoraShortHashes) };
    }

    /// <summary>The embeddings that a picture's prompts named; null if they named none.</summary>
    public static IReadOnlyList<UsedEmbedding>? EmbeddingsOf(Picture picture)
    {
        IReadOnlyList<UsedEmbedding> used = picture.Provenance.Embeddings;
        return used.Count == 0
            ? null
            : [.. used.Select(embedding => embedding with { Name = RecordedFileName.Of(embedding.Name) ?? UnknownName })];
    }

    private static IReadOnlyList<PictureLora> Named(
        IReadOnlyList<PictureLora> loras, IReadOnlyList<UsedLora> used, IReadOnlyList<string> hashes) =>
    [
        .. loras.Select((lora, i) => lora with
        {
            Sha256 = i < used.Count ? used[i].Sha256 : lora.Sha256,
            ShortHash = i < hashes.Count ? hashes[i] : null,
        }),
    ];

    /// <summary>Checks the embeddings of a record.</summary>
    /// <exception cref="PictureRecordDamagedException">There are too many, or one has no legal name or digest.</exception>
    public static void Check(string path, IReadOnlyList<UsedEmbedding>? embeddings)
    {
        if (embeddings is null) return;
        bool isInRange = embeddings.Count is > 0 and <= MostEmbeddings && embeddings.All(embedding => embedding is not null
            && RecordedFileName.IsName(embedding.Name)
            && embedding.Sha256.Length == Sha256Digits
            && embedding.Sha256.All(char.IsAsciiHexDigitLower));
        if (!isInRange) throw new PictureRecordDamagedException(path, "its embeddings are not named by legal names and digests");
    }
}

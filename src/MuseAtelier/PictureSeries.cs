namespace MuseAtelier;

/// <summary>Pictures of one request, each with the next seed.</summary>
/// <param name="Request">The first one's request.</param>
/// <param name="Count">How many.</param>
/// <param name="BatchSize">How many are denoised together, 1 to <paramref name="Count"/>; null leaves it to the plan.</param>
internal sealed record PictureSeries(PictureRequest Request, int Count, int? BatchSize)
{
    /// <summary>The place that a single picture has to have: the rest of its pass repeats it. Null where pictures take the places as they come.</summary>
    public BatchSlot? Place { get; init; }

    /// <summary>A single picture with the numbers of its place in a pass.</summary>
    public static PictureSeries At(PictureRequest request, BatchSlot place) => new(request, place.Pictures, place.Pictures) { Place = place };

    /// <summary>Pictures that are to be painted.</summary>
    public int Wanted => Place is null ? Count : 1;

    /// <summary>The request of one of them.</summary>
    public PictureRequest Picture(int index) => Request with { Seed = unchecked(Request.Seed + (ulong)index) };
}

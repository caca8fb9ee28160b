namespace MuseAtelier.Extensions.AI;

/// <summary>A call to edit pictures, which this version cannot do.</summary>
public sealed class ImageEditException : MuseAtelierException
{
    internal ImageEditException()
        : base(
            "the request has original images",
            "a request without them: this version paints from text alone",
            "Leave OriginalImages empty, and describe the picture in the prompt.")
    {
    }
}

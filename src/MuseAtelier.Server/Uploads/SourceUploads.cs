namespace MuseAtelier.Server.Uploads;

/// <summary>The uploads that a request's source and mask are.</summary>
/// <param name="Source">The id of the source; null if it is not kept, or there is none.</param>
/// <param name="Mask">The id of the mask; null if it is not kept, if it is the source's transparency, or if there is none.</param>
/// <param name="IsTransparency">Whether the mask is the source's transparency.</param>
/// <param name="MaskLightest">The lightest value of the mask, 0 to 255; null if there is none, or if it is not known.</param>
internal readonly record struct SourceUploads(string? Source, string? Mask, bool IsTransparency, byte? MaskLightest = null)
{
    /// <summary>The ids.</summary>
    public IEnumerable<string> Ids() => new[] { Source, Mask }.OfType<string>();
}

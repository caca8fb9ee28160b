namespace MuseAtelier.Pictures.Metadata;

/// <summary>The texts that go into a picture's file; null for those that its level leaves out.</summary>
/// <param name="Software">Name and version of the program.</param>
/// <param name="Parameters">AUTOMATIC1111's text.</param>
/// <param name="Record">The record's JSON.</param>
internal sealed record MetadataTexts(string? Software, string? Parameters, string? Record)
{
    public static MetadataTexts Of(MetadataLevel level, Picture picture, RecordedEncoding encoding) => new(
        level == MetadataLevel.None ? null : Name(picture.Provenance.Engine),
        level <= MetadataLevel.Parameters
            ? ParametersText.Write(picture)
            : null,
        level == MetadataLevel.Full ? PictureRecord.Of(picture, encoding).ToJson() : null);

    /// <summary>The texts of a file that carries a record, as they were when it was written.</summary>
    public static MetadataTexts Of(PictureRecord record, string json) =>
        new(Name(record.Engine.Version), ParametersText.Write(record), json);

    /// <summary>
    /// The texts of an image that nothing painted. With a text of AUTOMATIC1111, the file says that this program wrote it.
    /// </summary>
    public static MetadataTexts Of(MetadataLevel level, string? parameters) =>
        level > MetadataLevel.Parameters || parameters is null
            ? new MetadataTexts(null, null, null)
            : new MetadataTexts(Name(PictureProvenance.CurrentEngine), parameters, null);

    /// <summary>Name and version of this program.</summary>
    public static string Name(string version) => $"MuseAtelier {version}";
}

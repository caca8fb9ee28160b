using System.Text.Json.Nodes;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>What a picture file says of how it was made.</summary>
internal sealed record RecordJson
{
    /// <summary>The format of the file.</summary>
    public required string Format { get; init; }

    /// <summary>Width in px.</summary>
    public required int Width { get; init; }

    /// <summary>Height in px.</summary>
    public required int Height { get; init; }

    /// <summary>The program that wrote the settings.</summary>
    public string? Program { get; init; }

    /// <summary>The settings, as far as this server can paint them.</summary>
    public JsonObject? Request { get; init; }

    /// <summary>The model that painted it.</summary>
    public string? Model { get; init; }

    /// <summary>The settings as AUTOMATIC1111's text.</summary>
    public string? Text { get; init; }

    /// <summary>The settings that cannot be painted here, in words.</summary>
    public required IReadOnlyList<string> NotTaken { get; init; }

    /// <summary>Sentences about the file and about settings that it does not state.</summary>
    public required IReadOnlyList<string> Notices { get; init; }

    /// <summary>The codes of the notices.</summary>
    public IReadOnlyList<NoticeCode> NoticeCodes => NoticeCode.Of(Notices);
}

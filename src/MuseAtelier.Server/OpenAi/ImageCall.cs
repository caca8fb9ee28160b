using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.OpenAi;

/// <summary>What a call of images/generations or images/edits asks for.</summary>
internal sealed record ImageCall
{
    /// <summary>The job.</summary>
    public required JobRequest Job { get; init; }

    /// <summary>Whether the answer has addresses of pictures in the gallery instead of the pictures.</summary>
    public required bool SendsAddresses { get; init; }

    /// <summary>Whether the answer is a stream of events.</summary>
    public required bool Streams { get; init; }

    /// <summary>The most previews of each picture in the stream.</summary>
    public required int PartialPictures { get; init; }

    /// <summary>The beginning of the events' types in the stream.</summary>
    public string Events { get; init; } = "image_generation";

    /// <summary>The word for the quality that is used.</summary>
    public required string Quality { get; init; }

    /// <summary>The size as the answer states it: 1024x1024.</summary>
    public string Size => FormattableString.Invariant($"{Job.Picture.Width}x{Job.Picture.Height}");
}

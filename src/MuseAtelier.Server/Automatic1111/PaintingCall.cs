using System.Text.Json;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>What a call of txt2img or img2img asks for.</summary>
internal sealed record PaintingCall
{
    /// <summary>The job.</summary>
    public required JobRequest Job { get; init; }

    /// <summary>The pictures in a batch, which the answer repeats; batches are made as is fastest here.</summary>
    public required int BatchSize { get; init; }

    /// <summary>The options of this call.</summary>
    public required RememberedOptions Options { get; init; }

    /// <summary>Whether the answer has the pictures.</summary>
    public required bool SendsPictures { get; init; }

    /// <summary>Whether the answer repeats the picture and the mask of img2img.</summary>
    public required bool IncludesSource { get; init; }

    /// <summary>The body, which the answer repeats.</summary>
    public required JsonElement Body { get; init; }
}

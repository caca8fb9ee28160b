using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MuseAtelier.Storms.Running;

/// <summary>The digests by which two runs of one request are compared.</summary>
/// <param name="Latents">SHA-256 of the final latents, fp32 little-endian.</param>
/// <param name="Pixels">SHA-256 of the RGB bytes.</param>
internal sealed record PictureDigest(string Latents, string Pixels)
{
    public static PictureDigest Of(Picture picture) =>
        new(
            Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(picture.Latents.Span))),
            Convert.ToHexStringLower(SHA256.HashData(picture.Pixels.Span))
        );

    /// <summary>Describes the difference to another run; null if there is none.</summary>
    public string? DifferenceTo(PictureDigest other) =>
        Latents != other.Latents ? "other latents"
        : Pixels != other.Pixels ? "the same latents, other pixels"
        : null;
}

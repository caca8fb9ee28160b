using System.Globalization;

namespace MuseAtelier.Storms.Running;

/// <summary>Synthetic pictures for storms that need many files quickly. They have gradients with noise, and complete provenance.</summary>
internal static class StormPicture
{
    /// <summary>The number of different pictures.</summary>
    public const int Kinds = 4;

    private const string Digest = "a89ffbd9fcfabc6e690b75531eccb6ce1e6cd9ee174ad36b0d99024d68c18a17";

    /// <summary>Returns the picture with the given number.</summary>
    public static Picture Numbered(int number)
    {
        var random = new Random(number);
        int width = 96 + (32 * number),
            height = 80;
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)((i / 3 % width) + random.Next(8));
        return Of(
            new PictureRequest
            {
                Prompt = string.Create(CultureInfo.InvariantCulture, $"picture {number}, 夜"),
                NegativePrompt = "fog",
                Width = 512,
                Height = 768,
                Steps = 3,
                Seed = (ulong)number,
            },
            width,
            height,
            pixels
        );
    }

    /// <summary>Creates a picture for a request.</summary>
    public static Picture Of(PictureRequest request, int width, int height, byte[] pixels) =>
        new()
        {
            Width = width,
            Height = height,
            Pixels = pixels,
            Request = request,
            Model = new ModelInfo("miniature", Digest, "/nowhere") { Parameters = 1 },
            Notices = [],
            Timings = new PictureTimings(default, default, default)
            {
                Steps = [],
                PostProcessing = default,
                DenoisingManagedBytes = 0,
            },
            Latents = new float[4],
            Provenance = new PictureProvenance
            {
                Engine = "0.1.0",
                Runtime = "ONNX Runtime 1.31.0",
                Device = "X64 processor, 2 threads",
                Plan = "all resident",
                BatchSlot = BatchSlot.Alone,
                VaeTile = null,
                GraphsSha256 = Digest,
                StepHashes =
                [
                    .. Enumerable
                        .Range(0, request.Steps + 1)
                        .Select(step => new StepHash(step == request.Steps ? null : (ulong)step, (ulong)step)),
                ],
            },
        };
}

using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Tests.Pictures;

/// <summary>A picture that nobody painted: a gradient, and a making as any other has it.</summary>
internal static class SamplePicture
{
    public const string Sha256 = "a89ffbd9fcfabc6e690b75531eccb6ce1e6cd9ee174ad36b0d99024d68c18a17";

    /// <summary>What AUTOMATIC1111 calls every LoRA of a sample.</summary>
    public const string ShortHash = "0123456789ab";

    public static Picture Of(
        PictureRequest request,
        int width = 64,
        int height = 48,
        IReadOnlyList<UsedLora>? loras = null,
        IReadOnlyList<UsedEmbedding>? embeddings = null,
        IReadOnlyList<UsedLora>? secondPassLoras = null)
    {
        bool isPlain = request is { Source: null, Hires: null };
        int steps = isPlain ? request.Steps : PictureRecordRules.EvaluationsOf(request)!.Value;
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)(i / 3 % width * 3 + i % 3 * 20);
        return new Picture
        {
            Width = width,
            Height = height,
            Pixels = pixels,
            Request = request,
            Model = new ModelInfo("miniature", Sha256, "/nowhere") { Parameters = 1 },
            Notices = [],
            Timings = new PictureTimings(default, default, default) { Steps = [], PostProcessing = default, DenoisingManagedBytes = 0 },
            Latents = new float[4],
            Provenance = new PictureProvenance
            {
                Engine = "0.1.0",
                Runtime = "ONNX Runtime 1.31.1",
                Device = "test",
                Plan = "all resident",
                BatchSlot = BatchSlot.Alone,
                VaeTile = null,
                GraphsSha256 = Sha256,
                Loras = loras ?? [],
                LoraShortHashes = [.. (loras ?? []).Select(_ => ShortHash)],
                SecondPassLoras = secondPassLoras,
                SecondPassLoraShortHashes = [.. (secondPassLoras ?? []).Select(_ => ShortHash)],
                Embeddings = embeddings ?? [],
                StepHashes =
                    [.. Enumerable.Range(0, steps + 1)
                        .Select(step => new StepHash(step == steps ? null : ulong.MaxValue - (ulong)step, (ulong)step))],
            },
        };
    }

    public static PictureRecord RecordOf(PictureRequest request) => PictureRecord.Of(Of(request), new RecordedEncoding(PictureFormat.Png));
}

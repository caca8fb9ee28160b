using MuseAtelier.Residency;

namespace MuseAtelier.Pipeline;

/// <summary>Makes one picture of its two passes.</summary>
internal static class PassJoin
{
    /// <summary>The picture: the pixels and latents of the second pass, with the times, the memory and the digests of both.</summary>
    /// <param name="request">The picture's request, with both passes.</param>
    /// <param name="first">The first pass; may be disposed already.</param>
    /// <param name="second">The second pass; the result owns its memory from now on.</param>
    /// <param name="enlarging">The time between the passes.</param>
    public static Picture Join(PictureRequest request, Picture first, Picture second, TimeSpan enlarging) => new()
    {
        Width = second.Width,
        Height = second.Height,
        Pixels = second.Pixels,
        Request = request,
        Model = second.Model,
        Notices = [.. first.Notices.Union(second.Notices)],
        Timings = Join(first.Timings, second.Timings, enlarging),
        Memory = Join(first.Memory!, second.Memory!),
        Latents = second.Latents,
        Owners = second.Owners,
        Provenance = Join(request, first.Provenance, second.Provenance),
        DecodedInFp32 = second.DecodedInFp32,
    };

    // The first pass is decoded for the second one alone.
    private static PictureTimings Join(PictureTimings first, PictureTimings second, TimeSpan enlarging) => second with
    {
        Text = first.Text + second.Text,
        Encoding = first.Encoding + second.Encoding,
        Merging = first.Merging + second.Merging,
        Denoising = first.Denoising + second.Denoising,
        Enlarging = first.Decoding + enlarging,
        Steps = [.. first.Steps, .. second.Steps],
        DenoisingManagedBytes = first.DenoisingManagedBytes + second.DenoisingManagedBytes,
    };

    private static PictureMemory Join(PictureMemory first, PictureMemory second) => second with
    {
        Plan = TwoPassPlan.Join(first.Plan, second.Plan, first.Plan.Request with { SecondPass = second.Plan.Request }),
        Phases = [.. first.Phases, .. second.Phases],
    };

    private static PictureProvenance Join(PictureRequest request, PictureProvenance first, PictureProvenance second) => second with
    {
        Loras = first.Loras,
        LoraShortHashes = first.LoraShortHashes,
        SecondPassLoras = request.Hires!.Loras is null ? null : second.Loras,
        SecondPassLoraShortHashes = second.LoraShortHashes,
        Plan = $"{first.Plan}; second pass {second.Plan}",
        BatchSlot = first.BatchSlot,
        Embeddings = [.. first.Embeddings.Union(second.Embeddings)],
        StepHashes = [.. first.StepHashes, .. second.StepHashes],
    };
}

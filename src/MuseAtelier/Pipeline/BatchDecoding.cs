using System.Diagnostics;
using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Decoding;

namespace MuseAtelier.Pipeline;

/// <summary>Decodes the pictures of a batch, one after the other.</summary>
/// <param name="decoder">The decoder; borrowed.</param>
/// <param name="meter">Measures the memory of the decoding.</param>
/// <param name="assembler">Makes the results.</param>
internal sealed class BatchDecoding(VaeDecoder decoder, PhaseMeter meter, PictureAssembler assembler)
{
    /// <summary>Decodes a picture and hands it over.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="denoised">The latents of the batch.</param>
    /// <param name="picture">The picture's index in the batch.</param>
    /// <param name="run">The options of the runs.</param>
    public void Decode(PictureBatch batch, BatchDenoising denoised, int picture, RunScope run)
    {
        ResidencyPlan plan = batch.Plan;
        long begin = Stopwatch.GetTimestamp();
        batch.ReportPicture(GenerationPhase.Decoding);
        // The picture becomes the owner of latents and pixels. If the decoding fails, both are collected.
        MemoryOwner<float> latents = denoised.Latents(picture);
        ReadOnlySpan<float> source = batch.LatentFormat is { } format ? format.ToSdxl(latents.Span) : latents.Span;
        VaeOutput decoded = decoder.Decode(
            source, batch.LatentHeight, batch.LatentWidth, plan, batch.Request.Frame, run.Options, run.Token);
        bool isRescued = decoded.InFp32 && !plan.DecodesInFp32;
        PhaseMemory memory = meter.EndDecoding(plan, isRescued);
        var timings = new PictureTimings(
            batch.TextTime / batch.Count, denoised.Duration / batch.Count, Stopwatch.GetElapsedTime(begin))
        {
            Steps = denoised.Steps,
            PostProcessing = decoded.PostProcessing,
            DenoisingManagedBytes = denoised.ManagedBytes,
        };
        batch.ReportPicture(GenerationPhase.Done);
        batch.Deliver(assembler.Assemble(batch, picture, decoded, latents, timings, memory, denoised.Hashes(picture)));
    }
}

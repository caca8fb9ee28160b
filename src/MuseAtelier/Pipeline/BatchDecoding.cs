using System.Diagnostics;
using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Decoding;
using MuseAtelier.Diagnostics;
using MuseAtelier.Imaging;

namespace MuseAtelier.Pipeline;

/// <summary>Decodes the pictures of a batch, one after the other.</summary>
/// <param name="decoder">The decoder; borrowed.</param>
/// <param name="meter">Measures the memory of the decoding.</param>
/// <param name="assembler">Makes the results.</param>
/// <param name="diagnostics">Receives the times and a message of each picture; borrowed.</param>
internal sealed class BatchDecoding(VaeDecoder decoder, PhaseMeter meter, PictureAssembler assembler, AtelierDiagnostics diagnostics)
{
    private readonly SourcePaste _paste = new();

    /// <summary>Decodes a picture and hands it over.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="denoised">The latents of the batch.</param>
    /// <param name="picture">The picture's index in the batch.</param>
    /// <param name="run">The options of the runs.</param>
    public void Decode(PictureBatch batch, BatchDenoising denoised, int picture, RunScope run)
    {
        if (batch.Series.Output == PassOutput.Latents)
        {
            DeliverLatents(batch, denoised, picture);
            return;
        }

        ResidencyPlan plan = batch.Plan;
        long begin = Stopwatch.GetTimestamp();
        using Activity? activity = AtelierActivities.StartDecoding(batch.FirstIndex + picture);
        batch.ReportPicture(GenerationPhase.Decoding);
        // The picture becomes the owner of latents and pixels. If the decoding fails, both are collected.
        MemoryOwner<float> latents = denoised.Latents(picture);
        ReadOnlySpan<float> source = batch.LatentFormat is { } format ? format.ToSdxl(latents.Span) : latents.Span;
        // The frame lies over the source's pixels too, so that it follows them.
        PreparedSource? pasted = batch.Source is { PastesBack: true } encoded ? encoded.Prepared : null;
        PictureFrame? frame = batch.Request.Frame;
        VaeOutput decoded = decoder.Decode(
            source, batch.LatentHeight, batch.LatentWidth, plan, pasted is null ? frame : null, run.Options, run.Token);
        if (pasted is not null) decoded = decoded with { Pixels = _paste.Paste(pasted, decoded.Pixels, frame) };
        bool isRescued = decoded.InFp32 && !plan.DecodesInFp32;
        PhaseMemory memory = meter.EndDecoding(plan, isRescued);
        PictureTimings timings = TimingsOf(batch, denoised, Stopwatch.GetElapsedTime(begin), decoded.PostProcessing);
        diagnostics.Metrics.PhaseEnded(PlanPhase.Decoding, timings.Decoding);
        activity?.Dispose();
        batch.ReportPicture(GenerationPhase.Done);
        batch.Deliver(assembler.Assemble(batch, picture, decoded, latents, timings, memory, denoised.Hashes(picture)));
        if (batch.Series.Output != PassOutput.Picture) return;
        diagnostics.Metrics.PictureDelivered();
        PictureRequest request = batch.Requests[picture];
        AtelierLog.PictureFinished(
            diagnostics.Logger, diagnostics.Name, request.Width, request.Height, denoised.Steps.Count, request.Seed,
            timings.Total.TotalSeconds);
    }

    private static PictureTimings TimingsOf(PictureBatch batch, BatchDenoising denoised, TimeSpan decoding, TimeSpan postProcessing) =>
        new(batch.TextTime / batch.Count, denoised.Duration / batch.Count, decoding)
        {
            Encoding = batch.EncodingTime / batch.Count,
            Merging = batch.MergingTime / batch.Count,
            Steps = denoised.Steps,
            PostProcessing = postProcessing,
            DenoisingManagedBytes = denoised.ManagedBytes,
        };

    // A pass whose latents are enlarged has no pixels.
    private void DeliverLatents(PictureBatch batch, BatchDenoising denoised, int picture)
    {
        var none = new VaeOutput(MemoryOwner<byte>.Empty, InFp32: false, TimeSpan.Zero);
        PictureTimings timings = TimingsOf(batch, denoised, TimeSpan.Zero, TimeSpan.Zero);
        batch.Deliver(assembler.Assemble(batch, picture, none, denoised.Latents(picture), timings, null, denoised.Hashes(picture)));
    }
}

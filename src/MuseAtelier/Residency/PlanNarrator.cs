using System.Globalization;
using MuseAtelier.Decoding;
using MuseAtelier.Packages;

namespace MuseAtelier.Residency;

/// <summary>Tells a plan in plain sentences.</summary>
internal static class PlanNarrator
{
    public static IReadOnlyList<string> Tell(ResidencyPlan plan, DeviceProfile device)
    {
        var sentences = new List<string>();
        ComponentPlan unet = plan.Component(ComponentNames.UNet);
        int movable = unet.Stages.Count(stage => stage.Placement is not (StagePlacement.Session or StagePlacement.RotatingSession));
        int streamed = unet.Count(StagePlacement.Streamed) + unet.Count(StagePlacement.Staged), lent = unet.Count(StagePlacement.SwappedOut), mapped = unet.Count(StagePlacement.Mapped);
        long streamedBytes = unet.Bytes(StagePlacement.Streamed) + unet.Bytes(StagePlacement.Staged);

        if (mapped > 0)
            sentences.Add("Transformer weights are read where their file is mapped: they take no memory that counts, and the system keeps as many of their pages as it likes.");
        else if (streamed == 0)
            sentences.Add(Line($"The denoising network stays: all {movable} stages, {ByteSize.Format(unet.Bytes(StagePlacement.Resident) + unet.Bytes(StagePlacement.SwappedOut))}."));
        else
            sentences.Add(Line($"Of the denoising network's {movable} stages, {movable - streamed} stay ({ByteSize.Format(unet.Bytes(StagePlacement.Resident) + unet.Bytes(StagePlacement.SwappedOut))}) and {streamed} pass through a window of {ByteSize.Format(plan.StreamingBufferBytes)} in every step ({ByteSize.Format(streamedBytes)}), spread evenly, so that they are copied while others run."));
        if (lent > 0)
            sentences.Add(Line($"{lent} of those that stay ({ByteSize.Format(unet.Bytes(StagePlacement.SwappedOut))}) make room for text and decoding, and come back before the first step."));
        if (unet.Count(StagePlacement.RotatingSession) > 0)
            sentences.Add("Sessions of convolutions take turns: two run while the next two are made ready. This is slow.");

        ComponentPlan[] preparing = [.. plan.Components.Where(component => component.Name is ComponentNames.ClipL or ComponentNames.ClipG or ComponentNames.CrossAttention or ComponentNames.TimeEmbedding)];
        string Names(IEnumerable<ComponentPlan> components) => string.Join(", ", components.Select(component => component.Name switch
        {
            ComponentNames.ClipL => "CLIP-L",
            ComponentNames.ClipG => "CLIP-G",
            ComponentNames.CrossAttention => "keys and values",
            _ => "time embeddings",
        }));
        ComponentPlan[] staying = [.. preparing.Where(component => component.Count(StagePlacement.Resident) > 0)], passing = [.. preparing.Where(component => component.Stages.Any(stage => stage.Placement is StagePlacement.Streamed or StagePlacement.Staged))];
        if (staying.Length > 0) sentences.Add(Line($"What runs before the steps and stays: {Names(staying)} ({ByteSize.Format(staying.Sum(component => component.Bytes(StagePlacement.Resident)))})."));
        if (passing.Length > 0) sentences.Add(Line($"What runs before the steps and passes through such a window, in this order: {Names(passing)}."));

        long staged = plan.Components.Sum(component => component.Bytes(StagePlacement.Staged));
        if (staged > 0)
            sentences.Add(Line($"Only {ByteSize.Format(plan.PinnedBytes)} of host memory is pinned; {ByteSize.Format(staged)} come from the mapped file, slower."));

        string precision = plan.DecodesInFp32 ? " in fp32" : "";
        sentences.Add(plan.Decoding.IsWhole
            ? $"The picture is decoded{precision} whole."
            : $"The picture is decoded{precision} in {Tiles(plan.Decoding)} that overlap and blend. Its latents are those of a larger budget, its "
                + "pixels differ from one that is decoded whole (31 to 33 dB with the Miniature).");
        if (plan.DecodingInFp32 is { } again)
            sentences.Add($"Should it overflow in fp16, it is decoded again in fp32, {(again.IsWhole ? "whole" : $"in {Tiles(again)}")}, within {ByteSize.Format(plan.DecodingInFp32Bytes)}.");
        if (plan.Decoder.Count(StagePlacement.RotatingSession) > 0) sentences.Add("The decoder is loaded for each pass and released after it.");
        if (!plan.KeepsArena) sentences.Add("Working memory is given back between text, denoising and decoding.");
        else if (!plan.KeepsDecodingArena) sentences.Add("The decoder's working memory is given back after each picture.");
        if (device.CaptureBytes is not null)
            sentences.Add(plan.CapturesSteps ? "A step is captured once and played from then on." : "Steps are not captured: a captured step would keep its working memory, which others need in between.");
        if (plan.BatchSize > 1) sentences.Add(Line($"{plan.BatchSize} pictures are denoised together."));
        sentences.Add(Line($"A picture takes about {plan.Estimate.Picture:0.00} s, {plan.Estimate.Picture / plan.UnlimitedSeconds:0.00} times what an unlimited budget would allow."));
        return sentences;
    }

    private static string Tiles(TilePlan tiles) => Line($"{tiles.Rows} x {tiles.Columns} tiles of {tiles.TileWidth * VaeDecoder.VaeScaleFactor}x{tiles.TileHeight * VaeDecoder.VaeScaleFactor} px");

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

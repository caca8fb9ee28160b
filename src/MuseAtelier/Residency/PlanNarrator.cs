using System.Globalization;
using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier.Residency;

/// <summary>Explains a plan in plain sentences, for users.</summary>
internal static class PlanNarrator
{
    /// <summary>The sentences, in the order in which a picture is made.</summary>
    public static IReadOnlyList<string> Tell(ResidencyPlan plan, DeviceProfile device) =>
    [
        .. UNet(plan),
        .. BeforeSteps(plan),
        .. Pinning(plan),
        .. Loras(plan, device),
        .. Prompts(plan, device),
        .. Encoding(plan),
        .. Decoding(plan),
        .. WorkingMemory(plan, device),
        .. Passes(plan),
        .. Time(plan),
    ];

    private static IEnumerable<string> UNet(ResidencyPlan plan)
    {
        ComponentPlan unet = plan.Component(PipelineRecipe.EveryStep.Name);
        string network = PipelineRecipe.EveryStep.Title;
        int rotating = unet.Count(StagePlacement.RotatingSession);
        int stages = unet.Stages.Count - unet.Count(StagePlacement.Session) - rotating;
        int streamed = unet.Count(StagePlacement.Streamed) + unet.Count(StagePlacement.Staged);
        int swapped = unet.Count(StagePlacement.SwappedOut);
        string streamedBytes = ByteSize.Format(unet.Bytes(StagePlacement.Streamed) + unet.Bytes(StagePlacement.Staged));
        string keptBytes = ByteSize.Format(unet.Bytes(StagePlacement.Resident) + unet.Bytes(StagePlacement.SwappedOut));
        string bufferBytes = ByteSize.Format(plan.StreamingBufferBytes);

        if (unet.Count(StagePlacement.Mapped) > 0)
        {
            yield return "Transformer weights are read from their mapped file: they take no memory that counts, and the system keeps as "
                + "many of their pages as it has room for.";
        }
        else if (streamed == 0)
        {
            yield return Line($"The {network} stays in device memory: all {stages} stages, {keptBytes}.");
        }
        else
        {
            yield return Line($"Of the {network}'s {stages} stages, {stages - streamed} stay in device memory ({keptBytes}). ")
                + Line($"The other {streamed} are streamed in every step ({streamedBytes}) through a buffer of {bufferBytes}; ")
                + "they are spread evenly, so that they are copied while other stages run.";
        }

        if (swapped > 0)
        {
            string swappedBytes = ByteSize.Format(unet.Bytes(StagePlacement.SwappedOut));
            yield return Line($"{swapped} of the stages that stay ({swappedBytes}) are swapped out while texts are encoded and pictures ")
                + "are decoded, and are copied back before the first step.";
        }

        if (rotating > 0) yield return "Sessions of convolutions rotate: two run while the next two are created. This is slow.";
    }

    private static IEnumerable<string> BeforeSteps(ResidencyPlan plan)
    {
        ComponentPlan[] before = [.. plan.Components.Where(component => PipelineRecipe.Of(component.Name).RunsBeforeSteps)];
        ComponentPlan[] resident = [.. before.Where(component => component.Count(StagePlacement.Resident) > 0)];
        ComponentPlan[] streamed = [.. before.Where(Streams)];
        if (resident.Length > 0)
        {
            string bytes = ByteSize.Format(resident.Sum(component => component.Bytes(StagePlacement.Resident)));
            yield return $"Of the parts that run before the steps, these stay in device memory: {Names(resident)} ({bytes}).";
        }

        if (streamed.Length > 0)
            yield return $"Of the parts that run before the steps, these are streamed, in this order: {Names(streamed)}.";
    }

    private static bool Streams(ComponentPlan component) =>
        component.Count(StagePlacement.Streamed) > 0 || component.Count(StagePlacement.Staged) > 0;

    private static IEnumerable<string> Loras(ResidencyPlan plan, DeviceProfile device)
    {
        if (!plan.Request.HasLoras) yield break;
        yield return device.MapsWeights
            ? $"Weights that LoRAs change are merged in memory: {ByteSize.Format(plan.Request.MergedBytes)}, which count."
            : "Weights that LoRAs change are merged in host memory and lie where the others do: no place changes.";
    }

    private static IEnumerable<string> Pinning(ResidencyPlan plan)
    {
        long staged = plan.Components.Sum(component => component.Bytes(StagePlacement.Staged));
        if (staged == 0) yield break;
        yield return $"Only {ByteSize.Format(plan.PinnedBytes)} of host memory is pinned; {ByteSize.Format(staged)} of weights come from "
            + "the mapped file, which is slower.";
    }

    private static IEnumerable<string> Prompts(ResidencyPlan plan, DeviceProfile device)
    {
        ResidencyRequest request = plan.Request;
        if (request.PromptChunks > 1 || request.PromptParts > 1 || request.PromptSets > 1)
        {
            yield return Line($"The prompts take {request.TextRuns} runs of each text encoder and ")
                + Line($"{request.PromptChunks * TextChunk.Length} tokens in every attention to them.");
        }

        if (request.PromptParts > 1)
        {
            yield return Line($"The prompt has {request.PromptParts} parts, so that every step has {request.RowsPerPicture} rows for a ")
                + "picture: one for each part and one for the negative prompt.";
        }

        if (request.StepsOfThePromptAlone is > 0 and var alone)
        {
            yield return Line($"{alone} of {request.Steps} steps are outside of the guidance interval: they have one row for a picture ")
                + Line($"and take {plan.Estimate.UnguidedStep:0.000} s instead of {plan.Estimate.Step:0.000} s.");
            if (!plan.CapturesSteps && device.RowChangeSeconds > 0)
            {
                yield return Line($"Where the number of rows changes, a step takes {device.RowChangeSeconds:0.00} s more, because steps ")
                    + "are not captured.";
            }
        }

        if (request.PromptSets > 1)
        {
            string memory = device.MapsWeights ? "memory" : "pinned memory";
            yield return Line($"The prompts change between steps: the keys and values of {request.PromptSets} sets take ")
                + $"{ByteSize.Format(plan.PromptSetBytes)} of {memory}, and those of a set are copied when a step needs another set "
                + "than the step before.";
        }
    }

    private static IEnumerable<string> Encoding(ResidencyPlan plan)
    {
        if (plan.Encoding is not { } tiles) yield break;
        string way = tiles.IsWhole ? "whole" : $"in {Tiles(tiles)} that overlap and blend";
        string loaded = plan.KeepsEncoder ? "stays loaded" : "is loaded for each batch and released before the first step";
        yield return $"The existing picture is encoded {way}; the encoder {loaded}.";
    }

    private static IEnumerable<string> Decoding(ResidencyPlan plan)
    {
        string precision = plan.DecodesInFp32 ? " in fp32" : "";
        string latents = plan.Encoding is null ? "Its latents are those of a larger budget, its" : "Its latents and";
        yield return plan.Decoding.IsWhole
            ? $"The picture is decoded{precision} whole."
            : $"The picture is decoded{precision} in {Tiles(plan.Decoding)} that overlap and blend. {latents} pixels differ from "
                + "one that is decoded whole (31 to 33 dB with the Miniature).";
        if (plan.DecodingInFp32 is { } again)
        {
            string way = again.IsWhole ? "whole" : $"in {Tiles(again)}";
            string bytes = ByteSize.Format(plan.DecodingInFp32Bytes);
            yield return $"If it overflows in fp16, it is decoded again in fp32, {way}, within {bytes}.";
        }

        if (plan.Decoder.HasRotatingSessions)
            yield return "The decoder is loaded for each batch and released after it.";
    }

    private static IEnumerable<string> WorkingMemory(ResidencyPlan plan, DeviceProfile device)
    {
        if (!plan.KeepsArena) yield return "Working memory is given back between text, denoising and decoding.";
        else if (!plan.KeepsDecodingArena) yield return "The decoder's working memory is given back after each picture.";
        if (device.CaptureBytes is null) yield break;
        yield return plan.CapturesSteps
            ? "A step is captured once and then replayed."
            : "Steps are not captured: a captured step would keep its working memory, which other phases need in between.";
    }

    private static IEnumerable<string> Passes(ResidencyPlan plan)
    {
        if (plan.OtherPass is not { } other) yield break;
        string size = Line($"{other.Width}x{other.Height} px");
        string held = plan.CapturesSteps ? "; the tensors and the captured step of both stay" : "";
        yield return $"The pass of {size} has its weights in the same places, so that nothing moves between the passes{held}.";
    }

    private static IEnumerable<string> Time(ResidencyPlan plan)
    {
        if (plan.BatchSize > 1) yield return Line($"{plan.BatchSize} pictures are denoised together.");
        double factor = plan.Estimate.Picture / plan.UnlimitedSeconds;
        yield return Line($"A picture takes about {plan.Estimate.Picture:0.00} s, ")
            + Line($"{factor:0.00} times what an unlimited budget would allow.");
    }

    private static string Names(IEnumerable<ComponentPlan> components) =>
        string.Join(", ", components.Select(component => PipelineRecipe.Of(component.Name).Title));

    private static string Tiles(TilePlan tiles)
    {
        int width = tiles.TileWidth * LatentGeometry.VaeScaleFactor;
        int height = tiles.TileHeight * LatentGeometry.VaeScaleFactor;
        return Line($"{tiles.Rows} x {tiles.Columns} tiles of {width}x{height} px");
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

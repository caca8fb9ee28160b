using System.Globalization;

namespace MuseAtelier.Format;

/// <summary>
/// The tensors that the engine writes to and reads from each component. The engine relies on these sizes, so a manifest must state exactly
/// them: another shape would be read or written beyond its end.
/// </summary>
internal static class ManifestContract
{
    private const int MostRows = 16;

    private static readonly TensorSpec[] Image = [Tensor("image", ElementType.F32, "1", "3", "height*8", "width*8")];
    private static readonly TensorSpec[] Pixels = [Tensor("pixels", ElementType.U8, "1", "height*8", "width*8", "3")];
    private static readonly TensorSpec[] FramedPixels = [Tensor("pixels", ElementType.U8, "1", "canvas_height", "canvas_width", "3")];
    private static readonly TensorSpec[] Fault = [Tensor("fault", ElementType.F32)];

    private static readonly TensorSpec[] Frame =
    [
        Tensor("rows", ElementType.I64, "canvas_height"),
        Tensor("columns", ElementType.I64, "canvas_width"),
        Tensor("colour", ElementType.U8, "1", "canvas_height", "canvas_width", "3"),
        Tensor("keep", ElementType.U8, "1", "canvas_height", "canvas_width", "1"),
    ];

    /// <summary>Describes the first difference between a manifest and this contract; null if there is none.</summary>
    public static string? FaultOf(PackageManifest manifest) => manifest.Upscaler is { } upscaler
        ? FaultOfUpscaler(manifest, upscaler)
        : FaultOfConditioning(manifest) ?? FaultOfDenoiser(manifest) ?? FaultOfImages(manifest) ?? FaultBetween(manifest);

    private static string? FaultOfUpscaler(PackageManifest manifest, UpscalerSpec upscaler)
    {
        TensorSpec[] source = [Tensor("source", ElementType.U8, "1", "height", "width", "3")];
        TensorSpec[] results =
            [Tensor("pixels", ElementType.U8, "1", Enlarged("height"), Enlarged("width"), "3"), .. Fault];
        bool hasFp32 = manifest.Components.Any(component => component.Name == ComponentNames.UpscalerFp32);
        return FaultOf(manifest, ComponentNames.Upscaler, source, results)
            ?? (hasFp32 ? FaultOf(manifest, ComponentNames.UpscalerFp32, source, results) : null);

        string Enlarged(string side) => upscaler.Scale == 1 ? side : Text($"{side}*{upscaler.Scale}");
    }

    private static string? FaultOfConditioning(PackageManifest manifest)
    {
        ModelSpec model = manifest.Model;
        string length = Text(model.TextLength);
        TensorSpec ids = Tensor("ids", ElementType.I64, "rows", length);
        TensorSpec pooled = Tensor("pooled", ElementType.F32, "rows", Text(model.PooledWidth));
        TensorSpec context = Tensor("context", ElementType.F32, "rows", "tokens", Text(model.ClipLWidth + model.ClipGWidth));
        TensorSpec[] HiddenOf(string encoder, int width) => [.. Enumerable
            .Range(ConditioningNames.UsualClipSkip, Math.Max(1, manifest.MostClipSkipOf(encoder) - ConditioningNames.UsualClipSkip + 1))
            .Select(skip => Tensor(ConditioningNames.HiddenStates(skip), ElementType.F32, "rows", length, Text(width)))];
        TensorSpec[] hiddenL = HiddenOf(ComponentNames.ClipL, model.ClipLWidth), hiddenG = HiddenOf(ComponentNames.ClipG, model.ClipGWidth);
        TensorSpec VectorsOf(int width) => Tensor(TextChunk.Vectors, ElementType.F32, Text(TextChunk.Capacity), Text(width));
        TensorSpec eos = Tensor("eos", ElementType.I64, "rows");
        return FaultOf(manifest, ComponentNames.ClipL, [ids, VectorsOf(model.ClipLWidth)], hiddenL)
            ?? FaultOf(manifest, ComponentNames.ClipG, [ids, VectorsOf(model.ClipGWidth), eos], [.. hiddenG, pooled])
            ?? FaultOf(manifest, ComponentNames.CrossAttention, [context], [], ConditioningNames.IsKeyOrValue)
            ?? FaultOf(
                manifest,
                ComponentNames.TimeEmbedding,
                [pooled, Tensor("time_ids", ElementType.F32, "rows", "6"), Tensor("timesteps", ElementType.F32, "steps")],
                [],
                name => name == "embeddings");
    }

    private static string? FaultOfDenoiser(PackageManifest manifest)
    {
        TensorSpec latents = Tensor("latents", ElementType.F32, "rows", Text(manifest.Model.InputChannels), "height", "width");
        TensorSpec noise = Tensor("noise", ElementType.F32, "rows", Text(manifest.Model.LatentChannels), "height", "width");
        return FaultOf(manifest, ComponentNames.UNet, [latents], [noise], ConditioningNames.IsConditioning);
    }

    private static string? FaultOfImages(PackageManifest manifest)
    {
        TensorSpec LatentsOf(string name) =>
            Tensor(name, ElementType.F32, "1", Text(manifest.Model.LatentChannels), "height", "width");
        bool Has(string name) => manifest.Components.Any(component => component.Name == name);
        TensorSpec[] latents = [LatentsOf("latents")];
        return FaultOf(manifest, ComponentNames.VaeDecoder, latents, Image)
            ?? (Has(ComponentNames.VaeDecoderFp32) ? FaultOf(manifest, ComponentNames.VaeDecoderFp32, latents, Image) : null)
            ?? FaultOf(manifest, ComponentNames.PostProcessing, Image, [.. Pixels, .. Fault])
            ?? FaultOf(manifest, ComponentNames.Framing, [.. Image, .. Frame], [.. FramedPixels, .. Fault])
            // A checkpoint may have no encoder.
            ?? (Has(ComponentNames.VaeEncoder)
                ? FaultOf(manifest, ComponentNames.VaeEncoder, Image, [LatentsOf("mean"), LatentsOf("log_variance")])
                : null);
    }

    // A component must have no further inputs and outputs, because their memory would not be written; those that other components write
    // are an exception.
    private static string? FaultOf(
        PackageManifest manifest, string name, TensorSpec[] inputs, TensorSpec[] outputs, Func<string, bool>? others = null)
    {
        ComponentSpec? component = manifest.Components.FirstOrDefault(component => component.Name == name);
        if (component is null) return $"the component {name} is missing";
        if (component.Stages.Count == 0) return $"{name} has no stages";
        return FaultOfSide("input", component.Inputs, inputs) ?? FaultOfSide("output", component.Outputs, outputs);

        string? FaultOfSide(string side, IReadOnlyList<TensorSpec> found, TensorSpec[] wanted)
        {
            foreach (TensorSpec tensor in wanted)
            {
                TensorSpec? same = found.FirstOrDefault(candidate => candidate.Name == tensor.Name);
                if (same is null) return $"{name} has no {side} {tensor.Name}";
                if (!IsSame(same, tensor)) return $"{side} {tensor.Name} of {name} is {Describe(same)} instead of {Describe(tensor)}";
            }

            HashSet<string> known = [.. wanted.Select(tensor => tensor.Name)];
            TensorSpec? unknown = found.FirstOrDefault(tensor => !known.Contains(tensor.Name) && others?.Invoke(tensor.Name) != true);
            return unknown is null ? null : $"{name} has an {side} that is not known: {unknown.Name}";
        }
    }

    // Keys, values and time embedding projections are copied from one component to another as bytes.
    private static string? FaultBetween(PackageManifest manifest)
    {
        ComponentSpec unet = manifest.Component(ComponentNames.UNet);
        List<TensorSpec> taken = [.. unet.Inputs.Where(input => ConditioningNames.IsKeyOrValue(input.Name))];
        List<TensorSpec> projections = [.. unet.Inputs.Where(input => ConditioningNames.IsTimeEmbedding(input.Name))];
        if (FaultOfKeys(manifest.Component(ComponentNames.CrossAttention), taken) is { } fault) return fault;
        TensorSpec? sized = taken.Concat(projections).FirstOrDefault(DependsOnPicture);
        return sized is not null
            ? $"{sized.Name} depends on the picture's size"
            : FaultOfProjections(manifest.Component(ComponentNames.TimeEmbedding), projections);
    }

    private static string? FaultOfKeys(ComponentSpec crossAttention, List<TensorSpec> taken)
    {
        Dictionary<string, TensorSpec> made = crossAttention.Outputs.ToDictionary(output => output.Name);
        if (taken.Count != made.Count)
        {
            string found = Text($"{ComponentNames.CrossAttention} makes {made.Count} keys and values");
            return Text($"{found}, but {ComponentNames.UNet} takes {taken.Count}");
        }

        TensorSpec? other = taken.FirstOrDefault(input => !made.TryGetValue(input.Name, out TensorSpec? same) || !IsSame(input, same));
        return other is null ? null : $"{other.Name} is not what {ComponentNames.CrossAttention} makes";
    }

    private static string? FaultOfProjections(ComponentSpec timeEmbedding, List<TensorSpec> projections)
    {
        if (projections.Count == 0) return $"{ComponentNames.UNet} takes no time embedding projections";
        TensorSpec? embeddings = timeEmbedding.Outputs.FirstOrDefault(output => output.Name == "embeddings");
        if (embeddings?.Shape is not [{ Text: "steps" }, _]) return $"{ComponentNames.TimeEmbedding} makes no embeddings for each step";
        TensorSpec? typed = projections.FirstOrDefault(projection => projection.Type != embeddings.Type);
        if (typed is not null) return $"{typed.Name} has another type than the embeddings";
        for (int rows = 1; rows <= MostRows; rows++)
        {
            var shape = new PictureShape(rows, 0, 0, 1);
            if (embeddings.Bytes(shape) != projections.Sum(projection => projection.Bytes(shape)))
                return "the embeddings are not as large as the projections that the UNet takes";
        }

        return null;
    }

    private static TensorSpec Tensor(string name, ElementType type, params string[] shape) =>
        new(name, type, [.. shape.Select(Dimension.Parse)]);

    private static bool IsSame(TensorSpec a, TensorSpec b) => a.Type == b.Type && a.Shape.SequenceEqual(b.Shape);

    private static bool DependsOnPicture(TensorSpec tensor) =>
        tensor.Shape.Any(dimension => dimension.Text.Split('*', '/')
            .Any(factor => factor is not ("rows" or "tokens") && !char.IsAsciiDigit(factor[0])));

    private static string Describe(TensorSpec tensor) => $"{tensor.Type} [{string.Join(", ", tensor.Shape)}]";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

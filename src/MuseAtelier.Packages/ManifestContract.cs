using System.Globalization;

namespace MuseAtelier.Packages;

/// <summary>
/// What the engine gives to and takes from each component. It writes and reads these tensors by the sizes that stand here, so a manifest
/// must state them
/// exactly so: another shape would be read or written beyond its end.
/// </summary>
internal static class ManifestContract
{
    private const int MostRows = 16;

    private static readonly string[] Image = ["1", "3", "height*8", "width*8"];
    private static readonly string[] Canvas = ["1", "canvas_height", "canvas_width", "3"];

    /// <summary>What of a manifest is not as the engine needs it, in words; null where all is.</summary>
    public static string? Fault(PackageManifest manifest)
    {
        ModelSpec model = manifest.Model;
        string length = Text(model.TextLength), l = Text(model.ClipLWidth), g = Text(model.ClipGWidth), pooled = Text(model.PooledWidth),
            context = Text(model.ClipLWidth + model.ClipGWidth);
        string[] decoded = ["1", Text(model.LatentChannels), "height", "width"],
            read = ["rows", Text(model.InputChannels), "height", "width"],
            predicted = ["rows", Text(model.LatentChannels), "height", "width"];
        TensorSpec[] Tensors(params (string Name, ElementType Type, string[] Shape)[] tensors) =>
            [.. tensors.Select(tensor => new TensorSpec(tensor.Name, tensor.Type, [.. tensor.Shape.Select(Dimension.Parse)]))];
        TensorSpec[] image = Tensors(("image", ElementType.F32, Image)), latents = Tensors(("latents", ElementType.F32, decoded)),
            fault = Tensors(("fault", ElementType.F32, []));
        return Part(manifest, ComponentNames.ClipL, Tensors(("ids", ElementType.I64, ["rows", length])),
            Tensors(("hidden", ElementType.F32, ["rows", length, l])))
            ?? Part(
                manifest, ComponentNames.ClipG, Tensors(("ids", ElementType.I64, ["rows", length]), ("eos", ElementType.I64, ["rows"])),
                Tensors(("hidden", ElementType.F32, ["rows", length, g]), ("pooled", ElementType.F32, ["rows", pooled])))
            ?? Part(manifest, ComponentNames.CrossAttention, Tensors(("context", ElementType.F32, ["rows", "tokens", context])), [],
                ConditioningNames.IsKeyOrValue)
            ?? Part(
                manifest, ComponentNames.TimeEmbedding,
                Tensors(("pooled", ElementType.F32, ["rows", pooled]), ("time_ids", ElementType.F32, ["rows", "6"]),
                    ("timesteps", ElementType.F32, ["steps"])), [], name => name == "embeddings")
            ?? Part(manifest, ComponentNames.UNet, Tensors(("latents", ElementType.F32, read)),
                Tensors(("noise", ElementType.F32, predicted)), ConditioningNames.IsConditioning)
            ?? Part(manifest, ComponentNames.VaeDecoder, latents, image)
            ?? (manifest.Components.Any(component => component.Name == ComponentNames.VaeDecoderFp32)
                ? Part(manifest, ComponentNames.VaeDecoderFp32, latents, image) : null)
            ?? Part(manifest, ComponentNames.PostProcessing, image,
                [.. Tensors(("pixels", ElementType.U8, ["1", "height*8", "width*8", "3"])), .. fault])
            ?? Part(
                manifest, ComponentNames.Framing,
                [
                    .. image,
                    .. Tensors(
                        ("rows", ElementType.I64, ["canvas_height"]), ("columns", ElementType.I64, ["canvas_width"]),
                        ("colour", ElementType.U8, Canvas), ("keep", ElementType.U8, ["1", "canvas_height", "canvas_width", "1"])),
                ],
                [.. Tensors(("pixels", ElementType.U8, Canvas)), .. fault])
            // A checkpoint may have no encoder.
            ?? (manifest.Components.Any(component => component.Name == ComponentNames.VaeEncoder)
                ? Part(manifest, ComponentNames.VaeEncoder, image,
                    Tensors(("mean", ElementType.F32, decoded), ("log_variance", ElementType.F32, decoded)))
                : null)
            ?? Between(manifest);
    }

    // More inputs or outputs than the engine knows would be memory that nobody writes; the denoising network alone has some that others
    // make.
    private static string? Part(PackageManifest manifest, string name, TensorSpec[] inputs, TensorSpec[] outputs,
        Func<string, bool>? others = null)
    {
        if (manifest.Components.FirstOrDefault(
            component => component.Name == name) is not { } component) return $"the component {name} is missing";
        if (component.Stages.Count == 0) return $"{name} has no stages";
        return Side("input", component.Inputs, inputs) ?? Side("output", component.Outputs, outputs);

        string? Side(string side, IReadOnlyList<TensorSpec> there, TensorSpec[] wanted)
        {
            foreach (TensorSpec tensor in wanted)
            {
                if (there.FirstOrDefault(candidate =>
                    candidate.Name == tensor.Name) is not { } found) return $"{name} has no {side} {tensor.Name}";
                if (!IsSame(found, tensor)) return $"{side} {tensor.Name} of {name} is {Describe(found)} instead of {Describe(tensor)}";
            }

            HashSet<string> known = [.. wanted.Select(tensor => tensor.Name)];
            return there.FirstOrDefault(tensor => !known.Contains(tensor.Name) && others?.Invoke(tensor.Name) != true) is { } unknown
                ? $"{name} has an {side} that is not known: {unknown.Name}" : null;
        }
    }

    // Keys, values and time embedding projections go from one component to another, as bytes.
    private static string? Between(PackageManifest manifest)
    {
        ComponentSpec context = manifest.Component(ComponentNames.CrossAttention), time = manifest.Component(ComponentNames.TimeEmbedding),
            unet = manifest.Component(ComponentNames.UNet);
        Dictionary<string, TensorSpec> keys = context.Outputs.ToDictionary(output => output.Name);
        List<TensorSpec> taken = [.. unet.Inputs.Where(input => ConditioningNames.IsKeyOrValue(input.Name))],
            projections = [.. unet.Inputs.Where(input => ConditioningNames.IsTimeEmbedding(input.Name))];
        if (taken.Count != keys.Count) return Text(
            $"{ComponentNames.CrossAttention} makes {keys.Count} keys and values, but {ComponentNames.UNet} takes {taken.Count}");
        if (taken.FirstOrDefault(input => !keys.TryGetValue(input.Name, out TensorSpec? made)
            || !IsSame(input, made)) is { } other) return $"{other.Name} is not what {ComponentNames.CrossAttention} makes";
        if (taken.Concat(projections).FirstOrDefault(
            tensor => DependsOnPicture(tensor)) is { } sized) return $"{sized.Name} depends on the picture's size";
        if (projections.Count == 0) return $"{ComponentNames.UNet} takes no time embedding projections";
        if (time.Outputs.FirstOrDefault(output => output.Name == "embeddings") is not { } embeddings
            || embeddings.Shape is not [{ Text: "steps" }, _]) return $"{ComponentNames.TimeEmbedding} makes no embeddings for each step";
        if (projections.FirstOrDefault(projection =>
            projection.Type != embeddings.Type) is { } typed) return $"{typed.Name} has another type than the embeddings";
        for (int rows = 1; rows <= MostRows; rows++)
        {
            var shape = new PictureShape(rows, 0, 0, 1);
            if (embeddings.Bytes(shape) != projections.Sum(projection => projection.Bytes(shape)))
                return "the embeddings are not as large as the projections that the UNet takes";
        }

        return null;
    }

    private static bool IsSame(TensorSpec a, TensorSpec b) => a.Type == b.Type && a.Shape.SequenceEqual(b.Shape);

    private static bool DependsOnPicture(TensorSpec tensor) =>
        tensor.Shape.Any(dimension => dimension.Text.Split('*', '/')
            .Any(factor => factor is not ("rows" or "tokens") && !char.IsAsciiDigit(factor[0])));

    private static string Describe(TensorSpec tensor) => $"{tensor.Type} [{string.Join(", ", tensor.Shape)}]";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

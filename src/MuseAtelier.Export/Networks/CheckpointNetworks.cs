using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Networks;

/// <summary>Describes all networks of a checkpoint.</summary>
internal static class CheckpointNetworks
{
    private const string VaeName = "VAE";

    /// <summary>Describes every component of a checkpoint.</summary>
    /// <param name="file">The checkpoint.</param>
    /// <param name="precisions">The arithmetic of the parts.</param>
    /// <exception cref="CheckpointException">
    /// The checkpoint cannot be described. The exception names all missing parts or tensors.
    /// </exception>
    public static (IReadOnlyList<Network> Networks, ModelSpec Model) Describe(TensorFile file, Precisions precisions)
    {
        UnsupportedPrecisionException.ThrowIfAny(precisions);
        var names = new TensorNames(file);
        var problems = new TensorProblems();
        string? unetPrefix = CheckpointParts.UNet(names);
        string? clipLPrefix = CheckpointParts.ClipL(names);
        string? vaePrefix = CheckpointParts.Vae(names);
        (string? clipGPrefix, bool hasTransformersNames) = CheckpointParts.ClipG(names);
        RequireParts(file, [("UNet", unetPrefix), ("CLIP-L", clipLPrefix), ("CLIP-G", clipGPrefix), (VaeName, vaePrefix)]);
        // A VAE without a decoder cannot make pictures.
        if (!names.HasAny(vaePrefix + "decoder."))
            throw new MissingPartException(file.Path, ["VAE decoder"], ["UNet", "CLIP-L", "CLIP-G", "VAE encoder"]);

        ElementType text = precisions.TextEncoders.Arithmetic.Type();
        ClipNetwork clipL = ClipNetwork.L(Part(clipLPrefix), text);
        ClipNetwork clipG = hasTransformersNames
            ? ClipNetwork.TransformersG(Part(clipGPrefix), text)
            : ClipNetwork.G(Part(clipGPrefix), text);
        var unet = new UNetNetwork(Part(unetPrefix), precisions.UNet.Arithmetic.Type());
        var vae = new VaeNetwork(Part(vaePrefix), precisions.Vae.Arithmetic.Type());
        // The step must be described first, because cross-attention and time embedding are described for the blocks that it finds.
        Network step = unet.Step();
        List<Network> networks =
        [
            clipL.Text(),
            clipG.Text(),
            unet.CrossAttention(clipL.Width + clipG.Width),
            unet.TimeEmbedding(clipG.PooledWidth),
            step,
            vae.Decoder(ComponentNames.VaeDecoder),
            PostProcessingNetwork.ToPixels(),
            PostProcessingNetwork.ToFramedPixels(),
        ];
        // Only existing pictures need the encoder, and some files have none.
        if (vae.HasEncoder) networks.Add(vae.Encoder());
        // An fp16 decoder overflows on some pictures of some models in spite of its rescaled stream; the fp32 one decodes those.
        if (precisions.Vae.Arithmetic == Precision.Fp16)
            networks.Add(new VaeNetwork(Part(vaePrefix), ElementType.F32).Decoder(ComponentNames.VaeDecoderFp32));
        problems.ThrowIfAny(file);
        string[] prefixes = [unetPrefix!, clipLPrefix!, clipGPrefix!, vaePrefix!];
        return (networks, ModelOf(file, unet, clipL, clipG, prefixes));

        CheckpointWeights Part(string? prefix) => new(file, names, prefix!, problems);
    }

    private static ModelSpec ModelOf(
        TensorFile file, UNetNetwork unet, ClipNetwork clipL, ClipNetwork clipG, string[] prefixes)
    {
        PredictionMark? mark = PredictionMarks.Find(file);
        PredictionType prediction = mark?.Type ?? PredictionType.Epsilon;
        return new ModelSpec
        {
            InputChannels = unet.InputChannels,
            LatentChannels = UNetNetwork.LatentChannels,
            ClipLWidth = clipL.Width,
            ClipGWidth = clipG.Width,
            PooledWidth = clipG.PooledWidth,
            TextLength = ClipNetwork.Positions,
            LatentScale = VaeNetwork.LatentScale,
            Parameters = Parameters(file, prefixes),
            Prediction = prediction,
            PredictionMark = mark?.Text,
            Sigmas = mark?.Sigmas ?? PredictionMarks.SigmasOf(file, prediction),
            ZeroTerminalSnr = prediction == PredictionType.Velocity
                && (mark!.ZeroTerminalSnr || PredictionMarks.HasZeroTerminalSnr(file)),
        };
    }

    private static void RequireParts(TensorFile file, (string Name, string? Prefix)[] parts)
    {
        string[] missing = [.. parts.Where(part => part.Prefix is null).Select(part => part.Name)];
        if (missing.Length == 0) return;
        string[] present = [.. parts.Where(part => part.Prefix is not null).Select(part => part.Name)];
        throw new MissingPartException(file.Path, missing, present);
    }

    // Integer tensors hold position ids, which are no parameters.
    private static long Parameters(TensorFile file, string[] prefixes) => file.Tensors.Values
        .Where(tensor => prefixes.Any(prefix => tensor.Name.StartsWith(prefix, StringComparison.Ordinal)))
        .Where(tensor => tensor.Type is not ElementType.I64)
        .Aggregate(0L, (sum, tensor) => sum + tensor.Elements);
}

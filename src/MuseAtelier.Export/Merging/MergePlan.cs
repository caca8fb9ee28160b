using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Export.Merging;

/// <summary>A tensor of a merged checkpoint.</summary>
/// <param name="Declaration">The tensor as it is written.</param>
/// <param name="First">The tensor of A.</param>
/// <param name="Others">Those of B and, for a difference, of C; empty if A's is copied.</param>
internal sealed record MergedTensor(
    SafetensorsDeclaration Declaration, SafetensorsTensor First, IReadOnlyList<SafetensorsTensor> Others);

/// <summary>
/// Decides which tensors a merged checkpoint has: those of A. Floating-point tensors of its four parts are merged, and must be in all
/// checkpoints with equal shapes; integers, such as position ids, and tensors of no part are copied from A. Copies for training are left
/// out. An inpainting model as A may be merged with base models, as in AUTOMATIC1111: the channels of its first convolution that they do
/// not have stay as they are.
/// </summary>
internal static class MergePlan
{
    private const string TrainingCopy = "model_ema.";
    private const int Shown = 3;

    /// <summary>Makes the list of tensors, in the order in which A holds them.</summary>
    /// <param name="files">A, B and for a difference C.</param>
    /// <param name="inFp16">Whether merged weights are stored in fp16.</param>
    /// <exception cref="CheckpointException">The checkpoints cannot be merged.</exception>
    public static IReadOnlyList<MergedTensor> Of(IReadOnlyList<TensorFile> files, bool inFp16)
    {
        foreach (TensorFile file in files) RequireWeights(file);
        RequireOneKind(files);
        TensorFile first = files[0];
        string[] prefixes = PrefixesOf(first);
        foreach (TensorFile other in files.Skip(1)) RequireSameTensors(first, other, prefixes);
        return
        [
            .. first.Tensors.Values
                .Where(tensor => !tensor.Name.StartsWith(TrainingCopy, StringComparison.Ordinal))
                .OrderBy(tensor => tensor.Offset)
                .ThenBy(tensor => tensor.Name, StringComparer.Ordinal)
                .Select(tensor => Merged(files, tensor, IsOf(prefixes, tensor), inFp16)),
        ];
    }

    private static MergedTensor Merged(IReadOnlyList<TensorFile> files, SafetensorsTensor tensor, bool isPart, bool inFp16)
    {
        ElementType type = tensor.Type ?? throw MergeMismatchException.OfTensor(
            files[0].Path, tensor.Name, $"has type {SafetensorsHeader.Shorten(tensor.TypeName)}", "F16, BF16, F32 or integers");
        bool isMerged = isPart && IsFloat(type);
        SafetensorsTensor[] others = isMerged ? [.. files.Skip(1).Select(file => file.Tensors[tensor.Name])] : [];
        for (int i = 0; i < others.Length; i++) RequireFits(files[i + 1].Path, tensor, others[i]);
        ElementType stored = isMerged && inFp16 ? ElementType.F16 : type;
        return new MergedTensor(new SafetensorsDeclaration(tensor.Name, stored, tensor.Shape), tensor, others);
    }

    private static void RequireFits(string path, SafetensorsTensor own, SafetensorsTensor other)
    {
        if (other.Type is null || !IsFloat(other.Type.Value)) throw MergeMismatchException.OfTensor(
            path, own.Name, $"has type {SafetensorsHeader.Shorten(other.TypeName)}", "F16, BF16 or F32");
        if (own.Shape.SequenceEqual(other.Shape) || IsExtended(own, other)) return;
        string found = $"has shape {SafetensorsHeader.ShapeText(other.Shape)}";
        throw MergeMismatchException.OfTensor(path, own.Name, found, $"the first checkpoint's, {SafetensorsHeader.ShapeText(own.Shape)}");
    }

    /// <summary>Whether a tensor is an inpainting model's first convolution, and another one a base model's.</summary>
    public static bool IsExtended(SafetensorsTensor own, SafetensorsTensor other) =>
        own.Shape is [var outputs, ModelSpec.InpaintingChannels, var rows, var columns]
        && other.Shape.SequenceEqual([outputs, 4, rows, columns]);

    // fp8 would be rounded twice, and the other formats are no plain numbers.
    private static void RequireWeights(TensorFile file)
    {
        if (QuantisationMarks.Find(file) is { } quantised) throw quantised;
        SafetensorsTensor? narrow = file.Tensors.Values.FirstOrDefault(tensor =>
            tensor.TypeName.StartsWith("F8", StringComparison.Ordinal)
            || tensor.Name.EndsWith(".scale_weight", StringComparison.Ordinal)
            || tensor.Name.EndsWith(".weight_scale", StringComparison.Ordinal));
        if (narrow is not null) throw MergeMismatchException.OfTensor(
            file.Path, narrow.Name, $"is one of an fp8 checkpoint ({SafetensorsHeader.Shorten(narrow.TypeName)})", "F16, BF16 or F32");
    }

    private static void RequireOneKind(IReadOnlyList<TensorFile> files)
    {
        foreach (TensorFile file in files) CheckpointInspector.RequireSdxlBase(file);
        CheckpointKind kind = CheckpointInspector.Detect(files[0]);
        PredictionType? prediction = PredictionMarks.Find(files[0])?.Type;
        foreach (TensorFile other in files.Skip(1))
        {
            CheckpointKind found = CheckpointInspector.Detect(other);
            bool isExtended = kind == CheckpointKind.SdxlInpainting && found == CheckpointKind.SdxlBase;
            if (found != kind && !isExtended) throw new MergeMismatchException(
                other.Path,
                $"{other.Path} is {found}, and {files[0].Path} is {kind}",
                "checkpoints of one kind, or an inpainting model as the first one and base models");
            PredictionType? predicted = PredictionMarks.Find(other)?.Type;
            if (predicted != prediction) throw new MergeMismatchException(
                other.Path,
                $"{other.Path} predicts {predicted ?? PredictionType.Epsilon}, and {files[0].Path} {prediction ?? PredictionType.Epsilon}",
                "checkpoints that predict the same");
        }
    }

    private static void RequireSameTensors(TensorFile first, TensorFile other, string[] prefixes)
    {
        Require(first, other, "which the first checkpoint has");
        Require(other, first, $"which {other.Path} has");

        void Require(TensorFile has, TensorFile lacks, string relation)
        {
            string[] missing = [.. has.Tensors.Values
                .Where(tensor => IsOf(prefixes, tensor) && tensor.Type is { } type && IsFloat(type))
                .Select(tensor => tensor.Name)
                .Where(name => !lacks.Tensors.ContainsKey(name))
                .Order(StringComparer.Ordinal)];
            if (missing.Length == 0) return;
            string names = string.Join(", ", missing.Take(Shown).Select(SafetensorsHeader.Shorten));
            string more = missing.Length > Shown ? Invariant($" and {missing.Length - Shown} more") : "";
            throw new MergeMismatchException(lacks.Path, $"{lacks.Path} lacks {names}{more}, {relation}", "checkpoints of the same tensors");
        }
    }

    private static string[] PrefixesOf(TensorFile file)
    {
        var names = new TensorNames(file);
        string?[] prefixes =
            [CheckpointParts.UNet(names), CheckpointParts.ClipL(names), CheckpointParts.ClipG(names).Prefix, CheckpointParts.Vae(names)];
        return [.. prefixes.OfType<string>().Where(prefix => prefix.Length > 0)];
    }

    private static bool IsOf(string[] prefixes, SafetensorsTensor tensor) =>
        prefixes.Any(prefix => tensor.Name.StartsWith(prefix, StringComparison.Ordinal));

    private static bool IsFloat(ElementType type) => type is ElementType.F16 or ElementType.BF16 or ElementType.F32;
}

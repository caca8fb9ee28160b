using System.Globalization;
using MuseAtelier.Export.Checkpoints;
using static System.FormattableString;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// Gives the weights of a network description from the checkpoint's tensors. Missing and misshapen tensors are collected, so that one
/// failure can name all of them. Until that failure is thrown, an unknown size is 0, which fits every other size.
/// </summary>
/// <param name="file">The checkpoint.</param>
/// <param name="names">The names of its tensors.</param>
/// <param name="prefix">The prefix of the names of this part of the model.</param>
/// <param name="problems">Collects the problems.</param>
internal sealed class CheckpointWeights(TensorFile file, TensorNames names, string prefix, TensorProblems problems)
{
    /// <summary>The most blocks of one kind in a row; the most in SDXL are 32.</summary>
    public const int MostBlocks = 64;

    /// <summary>The largest dimension of a weight; SDXL's largest is the vocabulary, 49,408.</summary>
    private const long LargestSize = 1 << 20;

    /// <summary>The largest side of a weight that is stored transposed, because such a weight is read in one piece.</summary>
    private const long LargestTurnedSide = 8192;

    private static readonly string BlockNumbers = Invariant($"block numbers from 0 to {MostBlocks - 1} were expected");

    private static readonly SafetensorsTensor Absent = new("", "F32", [], 0, 0, 0);

    public bool Has(string key) => file.Tensors.ContainsKey(prefix + key);

    public bool HasAny(string keyPrefix) => names.HasAny(prefix + keyPrefix);

    /// <summary>
    /// The number of blocks: one more than the largest n for which a name begins with <paramref name="keyPrefix"/>, n and a dot. All
    /// smaller numbers must exist too; a gap is a problem, and the count ends there.
    /// </summary>
    public int Count(string keyPrefix)
    {
        string start = prefix + keyPrefix;
        var found = new SortedSet<int>();
        foreach (string name in names.Of(start))
        {
            ReadOnlySpan<char> rest = name.AsSpan(start.Length);
            int dot = rest.IndexOf('.');
            if (dot <= 0 || rest[..dot].ContainsAnyExceptInRange('0', '9')) continue;
            bool isNumber = int.TryParse(rest[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n < MostBlocks;
            if (isNumber) found.Add(n);
            else problems.Add(new TensorMismatch(name, null, null) { Problem = BlockNumbers });
        }

        int count = 0;
        foreach (int n in found)
        {
            if (n != count++) return Gap(start, n, count - 1);
        }

        return count;
    }

    /// <summary>A dimension of a tensor; 0 if the tensor is missing, has fewer dimensions, or the dimension is impossible.</summary>
    public long Size(string key, int axis)
    {
        bool exists = file.Tensors.TryGetValue(prefix + key, out SafetensorsTensor? tensor) && axis < tensor.Shape.Count;
        return exists && tensor!.Shape[axis] <= LargestSize ? tensor.Shape[axis] : 0;
    }

    /// <summary>The side of a convolution's kernel; 1 where the weight is stored as a matrix.</summary>
    public long KernelSize(string key) =>
        file.Tensors.TryGetValue(prefix + key, out SafetensorsTensor? tensor) && tensor.Shape.Count is 2 or 3 ? 1 : Size(key, 3);

    public Weight Get(string key, params long[] shape) => Get(key, 1f, shape);

    /// <summary>
    /// A whole tensor. A matrix may be stored as a convolution of one pixel and the other way round because the elements are the same.
    /// </summary>
    public Weight Get(string key, float scale, params long[] shape) => Of(Find(key, shape), 0, shape, scale);

    /// <summary>One of several weights of the same size that a tensor holds one after the other.</summary>
    public Weight Part(string key, int part, int parts, long rows, params long[] rest) =>
        Of(Find(key, [parts * rows, .. rest]), part * rows, [rows, .. rest], 1);

    /// <summary>A matrix whose transpose is in the file.</summary>
    public Weight Turned(string key, long rows, long columns)
    {
        if (Math.Max(rows, columns) > LargestTurnedSide)
            Refuse(key, Invariant($"sides of at most {LargestTurnedSide} were expected"));
        return Of(Find(key, [columns, rows]), 0, [rows, columns], 1) with { IsTurned = true };
    }

    /// <summary>Collects a problem that is not one of a shape.</summary>
    public void Refuse(string key, string problem) =>
        problems.Add(new TensorMismatch(prefix + key, null, null) { Problem = problem });

    /// <summary>Collects the problem of a tensor whose shape does not fit those of its neighbours.</summary>
    public void Refuse(string key, params long[] expected)
    {
        if (file.Tensors.TryGetValue(prefix + key, out SafetensorsTensor? tensor)) problems.Add(Mismatch(tensor, expected));
    }

    // Collects the gap as a problem and returns the number of blocks before it.
    private int Gap(string start, int found, int missing)
    {
        problems.Add(new TensorMismatch(Invariant($"{start}{missing}"), null, null)
        {
            Problem = Invariant($"missing, though there is a block {found}"),
        });
        return missing;
    }

    private Weight Of(SafetensorsTensor tensor, long firstRow, long[] shape, float scale) =>
        new(tensor, firstRow, shape, scale) { Multiplier = MultiplierOf(tensor) };

    // fp8 checkpoints store a factor beside a weight: one for the whole weight, or one for each row. ComfyUI has used two names for it.
    private SafetensorsTensor? MultiplierOf(SafetensorsTensor tensor)
    {
        const string weight = ".weight";
        if (!tensor.Name.EndsWith(weight, StringComparison.Ordinal)) return null;
        string owner = tensor.Name[..^weight.Length];
        if (!file.Tensors.TryGetValue($"{owner}.scale_weight", out SafetensorsTensor? factor)
            && !file.Tensors.TryGetValue($"{owner}.weight_scale", out factor)) return null;
        if (factor.WeightType is null || !IsMultiplierOf(factor, tensor)) problems.Add(Mismatch(factor, [1]));
        return factor;
    }

    // One factor, or one for each row.
    private static bool IsMultiplierOf(SafetensorsTensor factor, SafetensorsTensor tensor) => factor.Elements == 1
        || (tensor.Shape.Count > 0 && factor.Elements == tensor.Shape[0] && factor.Shape[0] == factor.Elements);

    private SafetensorsTensor Find(string key, long[] shape)
    {
        string name = prefix + key;
        if (!file.Tensors.TryGetValue(name, out SafetensorsTensor? tensor))
        {
            problems.Add(new TensorMismatch(name, null, shape));
            return Absent;
        }

        if (!Fits(tensor.Shape, shape)) problems.Add(Mismatch(tensor, shape));
        else if (tensor.WeightType is null) problems.Add(Mismatch(tensor, shape) with { IsTypeAlone = true });
        return tensor;
    }

    private static TensorMismatch Mismatch(SafetensorsTensor tensor, long[] expected) =>
        new(tensor.Name, tensor.Shape, expected) { Type = tensor.TypeName };

    private static bool Fits(IReadOnlyList<long> found, long[] expected)
    {
        int rank = Rank(found);
        if (rank != Rank(expected)) return false;
        for (int i = 0; i < rank; i++)
        {
            // An expected size of 0 means any size, but a tensor without elements never fits.
            if (found[i] is < 1 or > LargestSize || (expected[i] != 0 && expected[i] != found[i])) return false;
        }

        return true;
    }

    // The number of dimensions without those of size 1 at the end of a kernel: [out, in, 1, 1] counts as [out, in].
    private static int Rank(IReadOnlyList<long> shape)
    {
        int rank = shape.Count;
        while (rank > 2 && shape[rank - 1] == 1) rank--;
        return rank;
    }
}

/// <summary>The problems that prevent the description of a checkpoint, one for each tensor.</summary>
internal sealed class TensorProblems
{
    private readonly List<TensorMismatch> _all = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>Collects a problem. Of several problems with one tensor, the first is kept.</summary>
    public void Add(TensorMismatch problem)
    {
        if (_names.Add(problem.Name)) _all.Add(problem);
    }

    /// <summary>Throws one failure that names all problems, if any were collected.</summary>
    /// <param name="file">The checkpoint.</param>
    /// <param name="isUpscaler">Whether it is that of an upscaler.</param>
    public void ThrowIfAny(TensorFile file, bool isUpscaler = false)
    {
        if (_all.Count == 0) return;
        if (QuantisationMarks.Find(file) is { } quantised) throw quantised;
        if (_all.TrueForAll(problem => problem.IsTypeAlone))
            throw new TensorTypeException(file.Path, _all[0].Name, _all[0].Type!, _all.Count - 1);
        throw new MissingTensorsException(file.Path, _all, isUpscaler);
    }
}

using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Packages;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// The checkpoint's tensors as a network description asks for them. What is missing or misshapen is collected, so that one failure can
/// name all of it; until then a size that is not known is 0 and fits everything.
/// </summary>
internal sealed class CheckpointWeights(SafetensorsFile file, string prefix, List<TensorMismatch> missing)
{
    private static readonly SafetensorsTensor Absent = new("", "F32", [], 0, 0, 0);

    public bool HasAny(string keyPrefix) => file.Tensors.Keys.Any(name => name.StartsWith(prefix + keyPrefix, StringComparison.Ordinal));

    /// <summary>One more than the largest n for which a name begins with <paramref name="keyPrefix"/>, n and a dot.</summary>
    public int Count(string keyPrefix)
    {
        int count = 0;
        string start = prefix + keyPrefix;
        foreach (string name in file.Tensors.Keys)
        {
            if (!name.StartsWith(start, StringComparison.Ordinal)) continue;
            ReadOnlySpan<char> rest = name.AsSpan(start.Length);
            int dot = rest.IndexOf('.');
            if (dot > 0 && int.TryParse(rest[..dot], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int n)) count = Math.Max(count, n + 1);
        }

        return count;
    }

    /// <summary>A dimension of a tensor; 0 if it is missing or has fewer dimensions.</summary>
    public long Size(string key, int axis) => file.Tensors.TryGetValue(prefix + key, out SafetensorsTensor? tensor) && axis < tensor.Shape.Count ? tensor.Shape[axis] : 0;

    public Weight Get(string key, params long[] shape) => Get(key, 1f, shape);

    public Weight Get(string key, float scale, params long[] shape) => new(Find(key, shape), 0, shape, scale);

    /// <summary>Some rows of a tensor; where all rows are meant, the tensor must have no more.</summary>
    public Weight Rows(string key, long firstRow, long rows, params long[] rest)
    {
        long all = Size(key, 0);
        bool whole = firstRow == 0 && rows == all;
        return new Weight(Find(key, [whole || firstRow + rows <= all ? all : firstRow + rows, .. rest]), firstRow, [rows, .. rest]);
    }

    private SafetensorsTensor Find(string key, long[] shape)
    {
        string name = prefix + key;
        if (!file.Tensors.TryGetValue(name, out SafetensorsTensor? tensor))
        {
            Report(new TensorMismatch(name, null, shape));
            return Absent;
        }

        bool fits = tensor.Shape.Count == shape.Length && tensor.Type is ElementType.F32 or ElementType.F16 or ElementType.BF16;
        for (int i = 0; fits && i < shape.Length; i++) fits = shape[i] == 0 || shape[i] == tensor.Shape[i];
        if (!fits) Report(new TensorMismatch(name, tensor.Shape, shape));
        return tensor;
    }

    private void Report(TensorMismatch tensor)
    {
        if (!missing.Any(known => known.Name == tensor.Name)) missing.Add(tensor);
    }
}

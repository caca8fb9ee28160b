using System.Numerics.Tensors;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Packaging;

/// <summary>Changes the values of a tensor.</summary>
/// <param name="first">Index of the first value in the tensor, row-major in the checkpoint's order.</param>
/// <param name="values">
/// Consecutive values of the tensor as fp32, multiplied by the checkpoint's own factors. They are replaced in place. A tensor comes in
/// pieces of any size and may come several times, once for each weight that is made of it.
/// </param>
internal delegate void TensorChange(long first, Span<float> values);

/// <summary>
/// Reads the slices of a checkpoint's tensors that make up weights. A slice comes from an untrusted manifest, so each one is
/// checked against the checkpoint before it is read.
/// </summary>
/// <param name="checkpoint">The checkpoint.</param>
/// <param name="changes">Changes of tensors by name; null for none.</param>
internal sealed class SliceReader(TensorFile checkpoint, IReadOnlyDictionary<string, TensorChange>? changes = null)
{
    /// <summary>Path of the checkpoint.</summary>
    public string Path => checkpoint.Path;

    /// <summary>Name of the part of the model that is read, for messages.</summary>
    public string Component { get; set; } = "";

    /// <summary>Checks that the checkpoint has every tensor of a weight with the rows that the weight's slices take.</summary>
    /// <exception cref="WeightSourceException">The checkpoint has no such rows.</exception>
    public void Check(WeightSpec weight)
    {
        foreach (TensorSlice slice in weight.Slices)
        {
            if (!checkpoint.Tensors.TryGetValue(slice.Key, out SafetensorsTensor? tensor) || tensor.WeightType is null)
                throw new WeightSourceException(Path, slice.Key, "no weight of that name");
            long rows = tensor.Shape.Count == 0 ? 1 : tensor.Shape[0];
            bool isWithin = slice.FirstRow >= 0 && slice.Rows > 0 && slice.Rows <= rows && slice.FirstRow <= rows - slice.Rows;
            // Both products are exact: rows divide the number of elements.
            if (!isWithin || tensor.Elements / rows != weight.Elements / slice.Rows || weight.Elements % slice.Rows != 0)
                throw new WeightSourceException(Path, slice.Key, $"the shape {SafetensorsHeader.ShapeText(tensor.Shape)}");
            if (slice.Multiplier is not null) CheckMultiplier(slice.Multiplier, rows);
        }
    }

    /// <summary>Whether a tensor that the weight is made of is changed.</summary>
    public bool IsChanged(WeightSpec weight) => changes is not null && weight.Slices.Any(slice => changes.ContainsKey(slice.Key));

    /// <summary>Whether a weight's bytes are those of the checkpoint, which then need no conversion.</summary>
    public bool IsCopy(WeightSpec weight) =>
        weight is { Layout: WeightLayout.Stored, Slices: [var slice] } && IsUnchanged(slice) && Tensor(slice).Type == weight.Type;

    /// <summary>Whether all numbers of a weight are numbers of its element type already, so that none can exceed its range.</summary>
    public bool IsWithinRange(WeightSpec weight) =>
        weight.Slices is [var slice] && IsUnchanged(slice) && Tensor(slice).Type == weight.Type;

    /// <summary>Copies stored bytes of a weight that <see cref="IsCopy"/>.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="first">The first element, counted from the weight's own start.</param>
    /// <param name="bytes">Receives the bytes.</param>
    /// <exception cref="DamagedWeightException">The numbers are not finite.</exception>
    public void Copy(WeightSpec weight, long first, Span<byte> bytes)
    {
        TensorSlice slice = weight.Slices[0];
        checkpoint.CopyTo(Tensor(slice), (FirstElement(weight, slice) + first) * weight.Type.Size(), bytes);
        if (!FiniteNumbers.Are(bytes, weight.Type)) throw Damaged(slice.Key);
    }

    /// <summary>Reads values of a weight in the checkpoint's order.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="first">The first element, counted from the weight's own start.</param>
    /// <param name="values">Receives the values.</param>
    /// <exception cref="DamagedWeightException">The numbers are not finite.</exception>
    public void Read(WeightSpec weight, long first, Span<float> values)
    {
        // The order of the additions is part of the format because it decides the last bits.
        Read(weight, weight.Slices[^1], first, values);
        if (weight.Slices.Count == 1) return;
        float[] added = new float[values.Length];
        for (int i = weight.Slices.Count - 2; i >= 0; i--)
        {
            Read(weight, weight.Slices[i], first, added);
            TensorPrimitives.Add(added, values, values);
        }
    }

    private void Read(WeightSpec weight, TensorSlice slice, long first, Span<float> values)
    {
        SafetensorsTensor tensor = Tensor(slice);
        long start = FirstElement(weight, slice) + first;
        checkpoint.ReadFloats(tensor, start, values);
        if (!FiniteNumbers.Are(values)) throw Damaged(slice.Key);
        if (slice.Multiplier is not null) Multiply(tensor, slice.Multiplier, start, values);
        if (changes?.GetValueOrDefault(slice.Key) is { } change)
        {
            change(start, values);
            if (!FiniteNumbers.Are(values)) throw Damaged(slice.Key);
        }

        if (slice.Scale is { } scale) TensorPrimitives.Multiply(values, scale, values);
    }

    private void Multiply(SafetensorsTensor tensor, string multiplier, long first, Span<float> values)
    {
        float[] factors = checkpoint.ReadFloats(multiplier);
        if (!FiniteNumbers.Are(factors)) throw Damaged(multiplier);
        // One factor applies to all rows; several factors apply to one row of the tensor each.
        long rowLength = factors.Length == 1 ? long.MaxValue : tensor.Elements / factors.Length;
        for (int done = 0; done < values.Length;)
        {
            (long row, long column) = Math.DivRem(first + done, rowLength);
            long left = Math.Min(rowLength - column, values.Length - done);
            Span<float> part = values.Slice(done, (int)left);
            TensorPrimitives.Multiply(part, factors[row], part);
            done += part.Length;
        }

        if (!FiniteNumbers.Are(values)) throw Damaged(multiplier);
    }

    private void CheckMultiplier(string name, long rows)
    {
        bool fits = checkpoint.Tensors.TryGetValue(name, out SafetensorsTensor? factors)
            && factors.WeightType is not null
            && (factors.Elements == 1 || factors.Elements == rows);
        if (!fits) throw new WeightSourceException(Path, name, "no factors for the rows of a weight");
    }

    private bool IsUnchanged(TensorSlice slice) =>
        slice is { Scale: null, Multiplier: null } && changes?.ContainsKey(slice.Key) != true;

    private SafetensorsTensor Tensor(TensorSlice slice) => checkpoint.Tensors[slice.Key];

    private static long FirstElement(WeightSpec weight, TensorSlice slice) => slice.FirstRow * (weight.Elements / slice.Rows);

    private DamagedWeightException Damaged(string tensor) => new(Path, Component, tensor);
}

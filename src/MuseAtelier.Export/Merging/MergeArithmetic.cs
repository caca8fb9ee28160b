using System.Numerics.Tensors;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Merging;

/// <summary>
/// Computes merged tensors in fp32, a part at a time, and rounds them once, to the type in which they are stored. AUTOMATIC1111 computes
/// in the type of the files.
/// </summary>
/// <param name="files">A, B and for a difference C.</param>
/// <param name="weight">The weight.</param>
internal sealed class MergeArithmetic(IReadOnlyList<TensorFile> files, float weight)
{
    /// <summary>The number of elements that are computed at once. Its buffers take 12 MiB.</summary>
    private const int PartElements = 1 << 20;

    private readonly float[] _first = new float[PartElements];
    private readonly float[] _second = new float[PartElements];
    private readonly float[] _third = files.Count > 2 ? new float[PartElements] : [];
    private readonly byte[] _bytes = new byte[PartElements];

    /// <summary>Writes a tensor.</summary>
    /// <param name="tensor">The tensor, the current one of the writer.</param>
    /// <param name="writer">The file.</param>
    /// <param name="cancellationToken">Cancels within a few MiB.</param>
    /// <exception cref="DamagedWeightException">A checkpoint has numbers that are not finite.</exception>
    /// <exception cref="WeightOverflowException">A merged number exceeds the range of its type.</exception>
    public void Write(MergedTensor tensor, SafetensorsWriter writer, CancellationToken cancellationToken)
    {
        if (tensor.Others.Count == 0) Copy(0, tensor.First, writer, cancellationToken);
        // The formula would lose the signs of zeros.
        else if (weight == 0 && IsStored(tensor, tensor.First)) Copy(0, tensor.First, writer, cancellationToken);
        else if (weight == 1 && files.Count == 2 && IsStored(tensor, tensor.Others[0]))
            Copy(1, tensor.Others[0], writer, cancellationToken);
        else if (tensor.Others.Any(other => MergePlan.IsExtended(tensor.First, other))) WriteExtended(tensor, writer);
        else WriteMerged(tensor, writer, cancellationToken);
    }

    // Whether the merged tensor can have the bytes of one that is merged.
    private static bool IsStored(MergedTensor tensor, SafetensorsTensor source) =>
        source.Type == tensor.Declaration.Type && source.Elements == tensor.First.Elements;

    private void Copy(int file, SafetensorsTensor tensor, SafetensorsWriter writer, CancellationToken cancellationToken)
    {
        for (long start = 0; start < tensor.Bytes; start += PartElements)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Span<byte> part = _bytes.AsSpan(0, (int)Math.Min(PartElements, tensor.Bytes - start));
            files[file].CopyTo(tensor, start, part);
            writer.Write(part);
        }
    }

    private void WriteMerged(MergedTensor tensor, SafetensorsWriter writer, CancellationToken cancellationToken)
    {
        for (long start = 0; start < tensor.First.Elements; start += PartElements)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(PartElements, tensor.First.Elements - start);
            Span<float> first = Read(0, tensor.First, start, _first.AsSpan(0, count));
            Span<float> second = Read(1, tensor.Others[0], start, _second.AsSpan(0, count));
            Span<float> third = tensor.Others.Count > 1 ? Read(2, tensor.Others[1], start, _third.AsSpan(0, count)) : default;
            Merge(first, second, third);
            Write(tensor, first, writer);
        }
    }

    // The kernels of an inpainting model, whose first channels are those of a base model. They are small.
    private void WriteExtended(MergedTensor tensor, SafetensorsWriter writer)
    {
        float[] own = files[0].ReadFloats(tensor.First.Name);
        float[][] others = [.. tensor.Others.Select((_, i) => files[i + 1].ReadFloats(tensor.First.Name))];
        int outputs = (int)tensor.First.Shape[0], size = own.Length / outputs;
        for (int output = 0; output < outputs; output++)
        {
            // A difference may be one of an inpainting model too.
            int shared = others.Min(other => other.Length) / outputs;
            Span<float> first = own.AsSpan(output * size, shared);
            Span<float> third = others.Length > 1 ? Row(others[1]) : default;
            Merge(first, Row(others[0]), third);

            Span<float> Row(float[] values) => values.AsSpan(output * (values.Length / outputs), shared);
        }

        RequireFinite(0, tensor.First, own);
        Write(tensor, own, writer);
    }

    // The result takes the place of the first numbers.
    private void Merge(Span<float> first, Span<float> second, Span<float> third)
    {
        if (third.IsEmpty)
        {
            TensorPrimitives.Multiply(first, (float)(1 - (double)weight), first);
        }
        else
        {
            TensorPrimitives.Subtract(second, third, second);
        }

        TensorPrimitives.MultiplyAdd(second, weight, first, first);
    }

    private Span<float> Read(int file, SafetensorsTensor tensor, long start, Span<float> values)
    {
        files[file].ReadFloats(tensor, start, values);
        RequireFinite(file, tensor, values);
        return values;
    }

    private void RequireFinite(int file, SafetensorsTensor tensor, ReadOnlySpan<float> values)
    {
        if (!FiniteNumbers.Are(values)) throw new DamagedWeightException(files[file].Path, "merge", tensor.Name);
    }

    private void Write(MergedTensor tensor, Span<float> values, SafetensorsWriter writer)
    {
        float largest = values.IsEmpty ? 0 : MathF.Abs(TensorPrimitives.MaxMagnitude(values));
        float most = tensor.Declaration.Type == ElementType.F16 ? (float)Half.MaxValue : float.MaxValue;
        if (!(largest <= most)) throw new WeightOverflowException(files[0].Path, $"the merged '{tensor.First.Name}'", largest);
        writer.Write(values);
    }
}

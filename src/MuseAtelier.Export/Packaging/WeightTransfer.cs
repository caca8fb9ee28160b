using System.Numerics.Tensors;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Lowerings;
using MuseAtelier.Export.Networks;
using MuseAtelier.Packages;

namespace MuseAtelier.Export.Packaging;

/// <summary>Carries weights from a checkpoint into a packed file, a few MiB at a time, converting on the way.</summary>
internal sealed class WeightTransfer(SafetensorsFile checkpoint)
{
    private const int ChunkElements = 2 << 20;
    private readonly float[] _floats = new float[ChunkElements];
    private readonly byte[] _bytes = new byte[ChunkElements * sizeof(float)];

    private string _component = "";

    /// <summary>Writes a weight.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="component">The part of the model that it belongs to.</param>
    /// <param name="file">Where it goes.</param>
    /// <param name="cancellationToken">Stops within a few MiB.</param>
    /// <exception cref="DamagedWeightException">The checkpoint's numbers are not finite.</exception>
    /// <exception cref="WeightOverflowException">fp16 cannot hold the numbers.</exception>
    public void Write(LoweredWeight weight, string component, PackedFileWriter file, CancellationToken cancellationToken)
    {
        _component = component;
        if (weight.Weight.IsTurned) WriteTurned(weight, file);
        else if (weight.Layout == WeightLayout.ChannelsLast) WriteChannelsLast(weight, file, cancellationToken);
        else WriteStored(weight, file, cancellationToken);
    }

    private void WriteStored(LoweredWeight weight, PackedFileWriter file, CancellationToken cancellationToken)
    {
        ElementType stored = weight.Weight.Stored;
        int storedSize = stored.Size();
        long first = weight.Weight.FirstElement, elements = weight.Weight.Elements;
        bool copy = weight.Type == stored && weight.Weight.IsPlain;
        for (long done = 0; done < elements; done += ChunkElements)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(ChunkElements, elements - done);
            if (copy)
            {
                Span<byte> raw = _bytes.AsSpan(0, count * storedSize);
                checkpoint.CopyTo(weight.Weight.Tensor, (first + done) * storedSize, raw);
                if (!FiniteNumbers.Are(raw, stored)) throw Damaged(weight.Weight.Tensor.Name);
                file.Write(raw);
            }
            else
            {
                Span<float> values = _floats.AsSpan(0, count);
                Read(weight.Weight, first + done, values);
                file.Write(Convert(weight, values));
            }
        }
    }

    // The transpose of a matrix, which is taken whole: only a text projection is stored so, and it is small.
    private void WriteTurned(LoweredWeight weight, PackedFileWriter file)
    {
        int rows = (int)weight.Weight.Shape[0], columns = (int)weight.Weight.Shape[1];
        float[] stored = new float[rows * columns], row = new float[columns];
        Read(weight.Weight, 0, stored);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) row[j] = stored[j * rows + i];
            file.Write(Convert(weight, row));
        }
    }

    // [out, in, rows, columns] to [out, rows, columns, in], one output channel at a time.
    private void WriteChannelsLast(LoweredWeight weight, PackedFileWriter file, CancellationToken cancellationToken)
    {
        IReadOnlyList<long> shape = weight.Weight.Shape;
        int inputs = (int)shape[1], plane = (int)(shape[2] * shape[3]), filter = inputs * plane;
        int batch = Math.Max(1, ChunkElements / 2 / filter);
        Span<float> stored = _floats.AsSpan(0, ChunkElements / 2), turned = _floats.AsSpan(ChunkElements / 2);
        for (long output = 0; output < shape[0]; output += batch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(batch, shape[0] - output) * filter;
            Read(weight.Weight, weight.Weight.FirstElement + output * filter, stored[..count]);
            for (int start = 0; start < count; start += filter)
            {
                ReadOnlySpan<float> from = stored.Slice(start, filter);
                Span<float> to = turned.Slice(start, filter);
                for (int i = 0; i < inputs; i++)
                    for (int p = 0; p < plane; p++) to[p * inputs + i] = from[i * plane + p];
            }

            file.Write(Convert(weight, turned[..count]));
        }
    }

    private void Read(Weight weight, long first, Span<float> values)
    {
        checkpoint.ReadFloats(weight.Tensor, first, values);
        if (!FiniteNumbers.Are(values)) throw Damaged(weight.Tensor.Name);
        if (weight.Multiplier is not null) Multiply(weight, first, values);
        if (weight.Scale != 1) TensorPrimitives.Multiply(values, weight.Scale, values);
        if (weight.Plus is not { } other) return;
        float[] added = new float[values.Length];
        Read(other, other.FirstElement + (first - weight.FirstElement), added);
        TensorPrimitives.Add(values, added, values);
    }

    private void Multiply(Weight weight, long first, Span<float> values)
    {
        SafetensorsTensor multiplier = weight.Multiplier!;
        float[] factors = checkpoint.ReadFloats(multiplier.Name);
        if (!FiniteNumbers.Are(factors)) throw Damaged(multiplier.Name);
        // One factor serves all; else each row of the tensor has its own.
        long rowLength = factors.Length == 1 ? long.MaxValue : weight.Tensor.Elements / factors.Length;
        for (int done = 0; done < values.Length;)
        {
            long row = (first + done) / rowLength, left = Math.Min(rowLength - (first + done) % rowLength, values.Length - done);
            Span<float> part = values.Slice(done, (int)left);
            TensorPrimitives.Multiply(part, factors[row], part);
            done += part.Length;
        }

        if (!FiniteNumbers.Are(values)) throw Damaged(multiplier.Name);
    }

    private DamagedWeightException Damaged(string tensor) => new(checkpoint.Path, _component, tensor);

    private ReadOnlySpan<byte> Convert(LoweredWeight weight, ReadOnlySpan<float> values)
    {
        if (weight.Type == ElementType.F16 && !(weight.Weight.IsPlain && weight.Weight.Stored == ElementType.F16))
        {
            float largest = TensorPrimitives.MaxMagnitude(values);
            if (!(MathF.Abs(largest) <= (float)Half.MaxValue)) throw new WeightOverflowException(checkpoint.Path, weight.Weight.Source, largest);
        }

        Span<byte> encoded = _bytes.AsSpan(0, values.Length * weight.Type.Size());
        FloatEncoding.Encode(values, weight.Type, encoded);
        return encoded;
    }
}

using System.Numerics.Tensors;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Lowerings;
using MuseAtelier.Export.Networks;
using MuseAtelier.Packages;

namespace MuseAtelier.Export.Packaging;

/// <summary>Copies weights from a checkpoint to a packed file, a few MiB at a time, and converts them.</summary>
internal sealed class WeightTransfer(SafetensorsFile checkpoint)
{
    private const int ChunkElements = 2 << 20;
    private readonly float[] _floats = new float[ChunkElements];
    private readonly byte[] _bytes = new byte[ChunkElements * sizeof(float)];

    private string _component = "";

    /// <summary>Writes a weight.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="component">The part of the model that it belongs to.</param>
    /// <param name="file">The file that receives the weight.</param>
    /// <param name="cancellationToken">Cancels within a few MiB.</param>
    /// <exception cref="DamagedWeightException">The checkpoint has numbers that are not finite.</exception>
    /// <exception cref="WeightOverflowException">The numbers exceed the range of fp16.</exception>
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
        bool isCopy = weight.Type == stored && weight.Weight.IsPlain;
        for (long done = 0; done < elements; done += ChunkElements)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(ChunkElements, elements - done);
            if (isCopy)
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

    // Transposes a matrix. It is read as a whole because only a text projection is stored transposed, and that is small.
    private void WriteTurned(LoweredWeight weight, PackedFileWriter file)
    {
        int rows = (int)weight.Weight.Shape[0], columns = (int)weight.Weight.Shape[1];
        float[] stored = new float[rows * columns];
        float[] row = new float[columns];
        Read(weight.Weight, 0, stored);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) row[j] = stored[j * rows + i];
            file.Write(Convert(weight, row));
        }
    }

    // [out, in, rows, columns] to [out, rows, columns, in], some output channels at a time.
    private void WriteChannelsLast(LoweredWeight weight, PackedFileWriter file, CancellationToken cancellationToken)
    {
        IReadOnlyList<long> shape = weight.Weight.Shape;
        int inputs = (int)shape[1], plane = (int)(shape[2] * shape[3]), filter = inputs * plane;
        int chunk = Math.Max(1, ChunkElements / 2 / filter);
        Span<float> stored = _floats.AsSpan(0, ChunkElements / 2), turned = _floats.AsSpan(ChunkElements / 2);
        for (long output = 0; output < shape[0]; output += chunk)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(chunk, shape[0] - output) * filter;
            Read(weight.Weight, weight.Weight.FirstElement + output * filter, stored[..count]);
            for (int start = 0; start < count; start += filter)
                Turn(stored.Slice(start, filter), turned.Slice(start, filter), inputs, plane);
            file.Write(Convert(weight, turned[..count]));
        }
    }

    // [in, plane] to [plane, in].
    private static void Turn(ReadOnlySpan<float> from, Span<float> to, int inputs, int plane)
    {
        for (int i = 0; i < inputs; i++)
            for (int p = 0; p < plane; p++) to[p * inputs + i] = from[i * plane + p];
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
        // One factor applies to all rows; several factors apply to one row of the tensor each.
        long rowLength = factors.Length == 1 ? long.MaxValue : weight.Tensor.Elements / factors.Length;
        for (int done = 0; done < values.Length;)
        {
            (long row, long column) = Math.DivRem(first + done, rowLength);
            long left = Math.Min(rowLength - column, values.Length - done);
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
            if (!(MathF.Abs(largest) <= (float)Half.MaxValue))
                throw new WeightOverflowException(checkpoint.Path, weight.Weight.Source, largest);
        }

        Span<byte> encoded = _bytes.AsSpan(0, values.Length * weight.Type.Size());
        FloatEncoding.Encode(values, weight.Type, encoded);
        return encoded;
    }
}
